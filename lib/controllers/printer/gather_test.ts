import assert from "node:assert/strict";
import { childOf, ended, podOfJob, podStatus, printer, SETTINGS } from "../../../tests/fixtures/printing.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import type { Printer } from "../../api/printer.ts";
import { JOB } from "../../api/resources.ts";
import { Cache } from "../../runtime/cache.ts";
import { LogReader } from "../../workload/logs.ts";
import { podShape } from "../../workload/pod_failure.ts";
import { requestDigest } from "./desired.ts";
import { gather, type Seen } from "./gather.ts";

/** Gathers from caches that hold these objects, and counts the logs that were asked for. */
async function gathered(owner: Printer, ...objects: KubeObject[]): Promise<{ seen: Seen; reads: string[] }> {
  const [pods, jobs] = [new Cache(), new Cache()];
  for (const object of objects) object.kind === "Job" ? jobs.put(object) : pods.put(podShape(object));
  const reads: string[] = [];
  const kube = {
    get: (): Promise<KubeObject> => Promise.reject(new Error("Was not to be asked")),
    logs: (pod: { name: string }): Promise<string> => {
      reads.push(pod.name);
      return Promise.resolve("Hello\n");
    },
  };
  const cache = (resource: Resource): Cache => resource === JOB ? jobs : pods;
  return { seen: await gather(owner, { cache, kube, settings: SETTINGS, logs: new LogReader() }), reads };
}

Deno.test("gather() takes the Pod of the present request as child", async () => {
  const owner = printer();
  const { seen } = await gathered(owner, childOf(owner, podStatus("Running", { running: {} })));
  assert.equal(seen.child?.metadata.name, "hello");
  assert.equal(seen.pod, seen.child);
  assert.deepEqual(seen.others, []);
});

Deno.test("gather() takes Pods of an older text and of the other mode as others", async () => {
  for (const old of [printer({ textToPrint: "Old" }), printer({ mode: "Job" })]) {
    const { seen } = await gathered(printer(), childOf(old));
    assert.equal(seen.child, undefined);
    assert.equal(seen.others.length, 1);
  }
});

Deno.test("gather() takes no notice of a Pod of another owner", async () => {
  const other = printer();
  other.metadata.uid = "another";
  const { seen } = await gathered(printer(), childOf(other));
  assert.deepEqual([seen.child, seen.others], [undefined, []]);
});

Deno.test("gather() knows a Pod whose ownerReference somebody took away", async () => {
  const owner = printer();
  const { metadata, ...pod } = childOf(owner);
  const { seen } = await gathered(owner, { ...pod, metadata: { ...metadata, ownerReferences: [] } } as KubeObject);
  assert.equal(seen.child?.metadata.name, "hello");
});

Deno.test("gather() reads no log while the container runs", async () => {
  const owner = printer();
  const { reads } = await gathered(owner, childOf(owner, podStatus("Running", { running: {} })));
  assert.deepEqual(reads, []);
});

Deno.test("gather() reads the log of a container that has ended, once", async () => {
  const owner = printer();
  const { seen, reads } = await gathered(owner, childOf(owner, ended(0)));
  assert.equal(seen.output, "Hello\n");
  assert.deepEqual(reads, ["hello"]);
});

Deno.test("gather() reads no log when the status knows what became of it", async () => {
  const owner = printer({}, { requestDigest: requestDigest(printer().spec), finishedAt: "2026-01-01T00:00:00Z" });
  const { seen, reads } = await gathered(owner, childOf(owner, ended(0)));
  assert.equal(seen.child?.metadata.name, "hello");
  assert.deepEqual(reads, []);
});

const TELLING: Record<string, [pods: Record<string, Record<string, unknown>>, told: string]> = {
  "the one that succeeded": [{ a: ended(3), b: ended(0), c: podStatus("Running") }, "hello-b"],
  "the one that runs before those that failed": [{ a: ended(3), b: podStatus("Running") }, "hello-b"],
  "the one that failed last": [{ a: ended(3, "2026-01-01T00:00:09Z"), b: ended(4, "2026-01-01T00:00:01Z") }, "hello-a"],
};
for (const [sentence, [statuses, told]] of Object.entries(TELLING)) {
  Deno.test(`gather() of a Job's Pods takes ${sentence}`, async () => {
    const owner = printer({ mode: "Job" });
    const job = childOf(owner);
    const pods = Object.entries(statuses).map(([suffix, status]) => podOfJob(job, suffix, status));
    const { seen } = await gathered(owner, job, ...pods);
    assert.equal(seen.pod?.metadata.name, told);
    assert.deepEqual(seen.others, [], "the Job's Pods are not ours to delete");
  });
}

Deno.test("gather() takes Pods of this very Job only", async () => {
  const owner = printer({ mode: "Job" });
  const job = childOf(owner);
  const older = { ...job, metadata: { ...job.metadata, uid: "uid-of-older" } };
  const { seen } = await gathered(owner, job, podOfJob(older, "a", ended(0)));
  assert.equal(seen.pod, undefined);
});
