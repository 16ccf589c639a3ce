import assert from "node:assert/strict";
import { failureOf } from "./pod_failure.ts";
import { pod, running, terminated, waiting } from "./test_pods.ts";

const IMAGE_GONE = 'failed to resolve reference "shop:v1": not found';

/** What a kubelet shows of one failure, one state after the other. */
const FACES: Record<string, { states: Record<string, unknown>[]; texts: string[]; runs: (string | undefined)[] }> = {
  "a pull that is tried again": {
    states: [
      { state: waiting("ErrImagePull", `failed to pull and unpack image "docker.io/shop:v1": ${IMAGE_GONE}`) },
      { state: waiting("ImagePullBackOff", `Back-off pulling image "shop:v1": ErrImagePull: ${IMAGE_GONE}`) },
      { state: waiting("ErrImagePull", `rpc error: code = NotFound desc = ${IMAGE_GONE}`) },
      {
        state: waiting(
          "ImagePullBackOff",
          `Back-off pulling image "shop:v1": ErrImagePull: rpc error: code = NotFound desc = ${IMAGE_GONE}`,
        ),
      },
    ],
    texts: [`Container "app" of Pod "shop-1" cannot pull image "shop:v1": ${IMAGE_GONE}`],
    runs: [undefined],
  },
  "a registry that is down": {
    states: [
      { state: waiting("RegistryUnavailable", "image pull failed because the registry is unavailable") },
      {
        state: waiting(
          "ImagePullBackOff",
          'Back-off pulling image "shop:v1": RegistryUnavailable: image pull failed because the registry is unavailable',
        ),
      },
    ],
    texts: [
      'Container "app" of Pod "shop-1" cannot pull image "shop:v1": image pull failed because the registry is unavailable',
    ],
    runs: [undefined],
  },
  "a first crash, the wait and the run after it": {
    states: [
      { state: terminated(1, "Error", 5) },
      { state: waiting("CrashLoopBackOff", "back-off 10s"), lastState: terminated(1, "Error", 5) },
      { state: running(), restartCount: 1, lastState: terminated(1, "Error", 5) },
    ],
    texts: [
      'Container "app" of Pod "shop-1" exited with code 1 (Error)',
      'Container "app" of Pod "shop-1" exited with code 1 (Error), restarted once',
    ],
    runs: ["containerd://run-5"],
  },
  "a command that does not exist": {
    states: [
      { state: waiting("RunContainerError", "no foo"), lastState: terminated(128, "StartError") },
      { state: terminated(128, "StartError") },
      { state: waiting("CrashLoopBackOff", "back-off 10s"), lastState: terminated(128, "StartError") },
    ],
    texts: ['Container "app" of Pod "shop-1" exited with code 128 (StartError)'],
    runs: [undefined],
  },
  "a later crash, the wait and the run after it": {
    states: [
      { state: terminated(1, "Error", 5), restartCount: 4, lastState: terminated(1, "Error", 4) },
      { state: waiting("CrashLoopBackOff", "back-off 20s"), restartCount: 4, lastState: terminated(1, "Error", 5) },
      { state: running(), restartCount: 5, lastState: terminated(1, "Error", 5) },
      { state: running(), started: true, restartCount: 5, lastState: terminated(1, "Error", 5) },
    ],
    texts: [
      'Container "app" of Pod "shop-1" exited with code 1 (Error), restarted 4 times',
      'Container "app" of Pod "shop-1" exited with code 1 (Error), restarted 5 times',
    ],
    runs: ["containerd://run-5"],
  },
};

for (const [sentence, { states, texts, runs }] of Object.entries(FACES)) {
  Deno.test(`one failure, one text but for the restarts, one reason and one log: ${sentence}`, () => {
    const failures = states.map((app) => failureOf(pod({ app })));
    assert.deepEqual([...new Set(failures.map((failure) => failure?.message))], texts);
    assert.equal(new Set(failures.map((failure) => failure?.reason)).size, 1);
    assert.deepEqual([...new Set(failures.map((failure) => failure?.log?.run))], runs);
  });
}
