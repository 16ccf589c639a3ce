import assert from "node:assert/strict";
import type { KubeObject, Resource } from "../../api/object.ts";
import { LEASE } from "../../api/resources.ts";
import type { KubeClient } from "../../kube/client.ts";
import { KubeError } from "../../kube/errors.ts";
import { dbm } from "../../migration/test_migrations.ts";
import { stamp } from "../../runtime/ownership.ts";
import { desiredLease } from "./lock.ts";
import { releaseOrphan } from "./orphan.ts";

const CASES: Record<string, [there: { owner?: KubeObject; jobs?: unknown[]; pods?: unknown[] }, isReleased: boolean]> =
  {
    "whose holder is gone": [{}, true],
    "whose holder is another object of the name": [
      { owner: { ...dbm(), metadata: { ...dbm().metadata, uid: "new" } } },
      true,
    ],
    "whose holder is there after all": [{ owner: dbm() }, false],
    "whose holder has left a Job": [{ jobs: [{ status: {} }] }, false],
    "whose holder has left a Pod that runs": [{ pods: [{ status: { phase: "Running" } }] }, false],
    "whose holder has left a Pod that has ended": [{ pods: [{ status: { phase: "Failed" } }] }, true],
  };

for (const [what, [there, isReleased]] of Object.entries(CASES)) {
  Deno.test(`a Lease ${what} is ${isReleased ? "released" : "kept"}`, async () => {
    const lease = stamp(desiredLease(dbm(), "ops"), dbm());
    lease.metadata = { ...lease.metadata, uid: "lease-1", resourceVersion: "7" };
    const removed: unknown[] = [];
    const kube = {
      get: (_: Resource, { namespace, name }: { namespace?: string; name?: string }) => {
        assert.deepEqual([namespace, name], ["shop", "orders"]);
        if (!there.owner) return Promise.reject(new KubeError(404, "NotFound", "not found"));
        return Promise.resolve(there.owner);
      },
      list: ({ plural }: Resource) => Promise.resolve({ items: (plural === "jobs" ? there.jobs : there.pods) ?? [] }),
      remove: (resource: Resource, _: unknown, seen: unknown) => Promise.resolve(void removed.push([resource, seen])),
    } as unknown as KubeClient;
    await releaseOrphan(lease, { kube });
    assert.deepEqual(removed, isReleased ? [[LEASE, { uid: "lease-1", resourceVersion: "7" }]] : []);
  });
}
