import assert from "node:assert/strict";
import { LOG_BYTES, LogReader } from "./logs.ts";
import { failureOf, type PodFailure } from "./pod_failure.ts";
import { pod, running, terminated, waiting } from "./test_pods.ts";

type Options = { container: string; previous?: boolean; tailLines?: number; limitBytes?: number };

/** A kubelet that answers with texts, one after the other, the last for ever. */
function kubelet(
  ...answers: (string | Error)[]
): { asked: Options[]; logs: (target: unknown, options: Options) => Promise<string> } {
  const asked: Options[] = [];
  return {
    asked,
    logs(_target, options): Promise<string> {
      const answer = answers[Math.min(asked.length, answers.length - 1)]!;
      asked.push(options);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
}

/** A container that ended for the n-th time, in the state that it is in afterwards. */
function crash(run: number, state: "terminated" | "waiting" | "running"): PodFailure {
  const end = terminated(1, "Error", run);
  const before = terminated(1, "Error", run - 1);
  if (state === "terminated") return failureOf(pod({ app: { state: end, lastState: before, restartCount: run - 1 } }))!;
  if (state === "waiting") {
    return failureOf(pod({ app: { state: waiting("CrashLoopBackOff"), lastState: end, restartCount: run - 1 } }))!;
  }
  return failureOf(pod({ app: { state: running(), lastState: end, restartCount: run } }))!;
}

Deno.test("tail() reads the log once for each run of a container, whatever state shows its end", async () => {
  const kube = kubelet("first", "second");
  const reader = new LogReader();
  for (const state of ["terminated", "waiting", "running"] as const) {
    assert.equal(await reader.tail(crash(1, state), kube), "first");
  }
  assert.equal(kube.asked.length, 1);
  for (const state of ["terminated", "waiting", "running"] as const) {
    assert.equal(await reader.tail(crash(2, state), kube), "second");
  }
  assert.equal(kube.asked.length, 2);
});

Deno.test("tail() asks for the log of the run that ended", async () => {
  const kube = kubelet("text");
  await new LogReader().tail(crash(1, "terminated"), kube);
  await new LogReader().tail(crash(1, "waiting"), kube);
  await new LogReader().tail(crash(1, "running"), kube);
  assert.deepEqual(kube.asked.map(({ container, previous }) => [container, previous]), [
    ["app", false],
    ["app", true],
    ["app", true],
  ]);
});

Deno.test("tail() asks for nothing where nothing ran", async () => {
  const kube = kubelet("text");
  const failure = failureOf(pod({ app: { state: waiting("ErrImagePull") } }))!;
  assert.equal(await new LogReader().tail(failure, kube), "");
  assert.equal(kube.asked.length, 0);
});

Deno.test("tail() of a log that cannot be read is nothing, and is asked for again", async () => {
  const kube = kubelet(new Error("Node is away"), "text");
  const reader = new LogReader();
  assert.equal(await reader.tail(crash(1, "waiting"), kube), "");
  assert.equal(await reader.tail(crash(1, "waiting"), kube), "text");
});

Deno.test("tail() does not take the empty log of the next run for that of the one that ended", async () => {
  const kube = kubelet("", "text");
  const reader = new LogReader();
  assert.equal(await reader.tail(crash(1, "terminated"), kube), "");
  assert.equal(await reader.tail(crash(1, "running"), kube), "text");
});

Deno.test("tail() remembers that a run said nothing", async () => {
  const kube = kubelet("");
  const reader = new LogReader();
  for (let look = 0; look < 3; look++) assert.equal(await reader.tail(crash(1, "waiting"), kube), "");
  assert.equal(kube.asked.length, 1);
  const over = failureOf(pod({ app: { state: terminated(1, "Error") }, spec: { restartPolicy: "Never" } }))!;
  const once = new LogReader();
  for (let look = 0; look < 3; look++) await once.tail(over, kube);
  assert.equal(kube.asked.length, 2);
});

Deno.test("tail() tells containers and Pods apart", async () => {
  const kube = kubelet("one", "two", "three");
  const reader = new LogReader();
  const failure = crash(1, "waiting");
  const other = { ...failure, pod: pod({ name: "shop-2" }) };
  assert.equal(await reader.tail(failure, kube), "one");
  assert.equal(await reader.tail({ ...failure, container: "side" }, kube), "two");
  assert.equal(await reader.tail(other, kube), "three");
});

Deno.test("a reader forgets the oldest of very many logs", async () => {
  const kube = kubelet("text");
  const reader = new LogReader();
  for (let run = 1; run <= 501; run++) await reader.tail(crash(run, "waiting"), kube);
  await reader.tail(crash(501, "waiting"), kube);
  assert.equal(kube.asked.length, 501);
  await reader.tail(crash(1, "waiting"), kube);
  assert.equal(kube.asked.length, 502);
});

const TAILS: Record<string, { log: string; tail: string }> = {
  "a short log": { log: "one\ntwo\n", tail: "one\ntwo" },
  "blank lines at the end": { log: "one\n\n\n", tail: "one" },
  "exactly one KiB": { log: "a".repeat(LOG_BYTES), tail: "a".repeat(LOG_BYTES) },
  "the end of a long log": { log: `${"a".repeat(2000)}end\n`, tail: `${"a".repeat(LOG_BYTES - 3)}end` },
  "characters of four bytes that a cut would halve": { log: `${"😀".repeat(300)}x`, tail: `${"😀".repeat(255)}x` },
  "characters of two bytes that a cut would halve": { log: `${"é".repeat(600)}x`, tail: `${"é".repeat(511)}x` },
};

for (const [sentence, { log, tail }] of Object.entries(TAILS)) {
  Deno.test(`tail() is at most one KiB of whole characters: ${sentence}`, async () => {
    const found = await new LogReader().tail(crash(1, "waiting"), kubelet(log));
    assert.equal(found, tail);
    assert.ok(new TextEncoder().encode(found).length <= LOG_BYTES);
  });
}

const HEADS: Record<string, { log: string; head: string }> = {
  "a short log as it stands": { log: "one\ntwo\n\n", head: "one\ntwo\n\n" },
  "the beginning of a long log": { log: "a".repeat(2000), head: "a".repeat(LOG_BYTES) },
  "a character that the API server cut": { log: "a\uFFFD", head: "a" },
  "bytes that are no text have become longer": { log: "\uFFFD".repeat(LOG_BYTES) + "a", head: "" },
};

for (const [sentence, { log, head }] of Object.entries(HEADS)) {
  Deno.test(`head() is at most one KiB of whole characters: ${sentence}`, async () => {
    assert.equal(await new LogReader().head(pod(), "app", kubelet(log)), head);
  });
}

Deno.test("head() reads once, and not what tail() has read", async () => {
  const kube = kubelet("head", "tail");
  const reader = new LogReader();
  assert.equal(await reader.head(pod(), "app", kube), "head");
  assert.equal(await reader.head(pod(), "app", kube), "head");
  assert.equal(await reader.tail(crash(1, "waiting"), kube), "tail");
  assert.deepEqual(kube.asked[0], { container: "app", limitBytes: LOG_BYTES });
});
