/**
 * Two replicas in a real cluster: what they run as, and that a rolling restart loses no admission.
 */
import assert from "node:assert/strict";
import { findCredentials } from "../../cli/connect.ts";
import { readCommandLine } from "../../lib/config.ts";
import { LEASE } from "../../lib/api/resources.ts";
import { KubeClient } from "../../lib/kube/client.ts";
import { untilAborted } from "../../lib/runtime/until_aborted.ts";
import { RawRequests } from "../fixtures/raw_requests.ts";
import { Admissions } from "../integration/admissions.ts";
import { waitUntil } from "../wait.ts";
import { Cluster, NAMESPACE, webPreview } from "./cluster.ts";
import { WEB } from "./images.ts";
import { isEndToEnd } from "./settings.ts";
import { Transcript } from "./transcript.ts";

const PER_SECOND = 20;

Deno.test({ name: "two replicas on a real node", ignore: !isEndToEnd }, async (t) => {
  await using cluster = await Cluster.prepare();
  const { terminal, plane } = cluster;
  const transcript = new Transcript();
  transcript.section("The operator in its Pods");
  const { config } = readCommandLine([`--kubeconfig=${plane.kubeconfigPath}`], {});
  const client = new KubeClient(await findCredentials(config, {}));

  try {
    await t.step("there is no shell in the image", async () => {
      const [pod] = await cluster.pods();
      for (const shell of ["sh", "bash", "/bin/busybox"]) {
        const { code, stderr } = await plane.kubectl(["exec", "-n", NAMESPACE, pod!, "--", shell, "-c", "true"], {
          check: false,
        });
        assert.notEqual(code, 0);
        assert.match(stderr, /executable file not found|no such file or directory/);
        if (shell === "sh") transcript.quote(`kubectl exec -n ${NAMESPACE} ${pod} -- sh -c true`, stderr);
      }
      const { stdout } = await plane.kubectl([
        "exec",
        "-n",
        NAMESPACE,
        pod!,
        "--",
        "/usr/local/bin/maquette",
        "version",
      ]);
      transcript.quote("kubectl exec … -- maquette version", stdout);
    });

    await t.step("the root file system is read-only, and the user is not root", async () => {
      const [pod] = await cluster.pods();
      const said = await fromWithin(cluster, pod!, ["touch", "/proc/1/root/tmp/x"]);
      assert.match(said, /read-only file system/);
      transcript.quote("a debugging container of the Pod: touch /proc/1/root/tmp/x", said);
      const { spec } = (await terminal.get("pod", pod!, NAMESPACE))!;
      assert.equal(spec.securityContext.runAsNonRoot, true);
      assert.equal(spec.containers[0].securityContext.readOnlyRootFilesystem, true);
    });

    await t.step(`a rolling restart under ${PER_SECOND} admissions a second loses none`, async () => {
      await terminal.apply(webPreview(2001, "v1"));
      await terminal.untilPhase("pr-2001", "Ready", 120_000);
      await cluster.delayAdmission();
      const stop = new AbortController();
      using requests = await RawRequests.open(plane.kubeconfigPath);
      await using admissions = new Admissions(requests, PER_SECOND);
      const holders = followLease(client, stop.signal);
      const before = await cluster.pods();
      await plane.kubectl(["rollout", "restart", "deployment/maquette", "-n", NAMESPACE]);
      await plane.kubectl(["rollout", "status", "deployment/maquette", "-n", NAMESPACE, "--timeout=300s"]);
      const leaving = async (): Promise<number> => {
        const pods = await terminal.list("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/name=maquette");
        return pods.filter((pod) => before.includes(pod.metadata.name)).length;
      };
      await waitUntil("the replicas from before to be gone", leaving, (left) => left === 0, 90_000);
      // The new leader works: a change is rolled out while admissions go on.
      await terminal.patch("prenv", "pr-2001", { spec: { image_tag: "v2" } });
      await terminal.untilPhase("pr-2001", "Ready", 120_000);
      const failures = await admissions.stop();
      stop.abort();
      transcript.say(
        `Rolling restart of two replicas: ${admissions.created} admissions at ${PER_SECOND}/s, ${failures.length} failed`,
      );
      const moves = await holders;
      for (const { from, to, ms } of moves) transcript.say(`The lease moved from ${from} to ${to} in ${ms} ms`);
      assert.deepEqual(failures, []);
      assert.ok(moves.length > 0, "the lease moved");
    });
  } finally {
    client.close();
  }
});

/** What a command of the test's web server says in a container beside the operator's. */
async function fromWithin({ plane }: Cluster, pod: string, command: string[]): Promise<string> {
  const name = `debug-${Date.now()}`;
  const image = [`--image=${WEB}:v1`, "--target=maquette", "--profile=restricted", `--container=${name}`];
  await plane.kubectl(["debug", "-n", NAMESPACE, pod, ...image, "--", "/web", ...command]);
  const { stdout } = await waitUntil(
    "the debugging container to say something",
    () => plane.kubectl(["logs", "-n", NAMESPACE, pod, "-c", name], { check: false }),
    ({ stdout }) => stdout !== "",
  );
  return stdout;
}

/** Every change of the lease's holder, with the time from when it was given up until somebody else had it. */
async function followLease(
  client: KubeClient,
  signal: AbortSignal,
): Promise<{ from: string; to: string; ms: number }[]> {
  const target = { namespace: NAMESPACE, name: "maquette" };
  const moves: { from: string; to: string; ms: number }[] = [];
  const first = await client.get(LEASE, target);
  let holder: string = first.spec?.holderIdentity;
  let givenUpAt: number | undefined;
  const scope = { namespace: NAMESPACE, fieldSelector: "metadata.name=maquette" };
  const from = { resourceVersion: first.metadata.resourceVersion!, timeoutSeconds: 300, signal };
  try {
    for await (const { object } of untilAborted(client.watch(LEASE, scope, from), signal)) {
      const now: string = object.spec?.holderIdentity ?? "";
      if (object.kind !== "Lease" || now === holder) continue;
      if (now === "") givenUpAt = performance.now();
      else {
        moves.push({ from: holder, to: now, ms: Math.round(performance.now() - (givenUpAt ?? performance.now())) });
        holder = now;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return moves;
}
