import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import { sameJson, statusOf } from "../../runtime/status.ts";
import { firstFailure } from "../../workload/pod_failure.ts";
import { decide } from "./decide.ts";
import type { Seen } from "./gather.ts";
import { appStatus, CREATED, deployment, pod, preview, readyStatus, seen, slice } from "./test_objects.ts";

/** What the API server shows at one moment; what is left out is as in the moment before. */
type Moment = Partial<Pick<Seen, "deployment" | "pods" | "endpointSlices" | "log">> & {
  /** Milliseconds since the moment before; a tenth of a second when left out. */
  after?: number;
};

/** An environment that is looked at after every event, as the runtime does, its status written when it changed. */
class Life {
  owner: PreviewEnvironment;
  readonly writes: string[] = [];
  now = CREATED;
  #seen: Moment = {};

  constructor(owner: PreviewEnvironment) {
    this.owner = owner;
  }

  /** Somebody changes the spec. */
  change(spec: Record<string, unknown>): void {
    const generation = this.owner.metadata.generation! + 1;
    this.owner = {
      ...this.owner,
      metadata: { ...this.owner.metadata, generation },
      spec: { ...this.owner.spec, ...spec },
    };
  }

  pass(moments: Moment[]): string[] {
    const before = this.writes.length;
    for (const { after = 100, ...moment } of moments) {
      this.now += after;
      this.#seen = { ...this.#seen, ...moment };
      // Twice: an event that says nothing new must not write either.
      for (let look = 0; look < 2; look++) this.#look();
    }
    return this.writes.slice(before);
  }

  #look(): void {
    const { pods = [] } = this.#seen;
    const failure = firstFailure(pods);
    const { report } = decide(seen(this.owner, { ...this.#seen, failure }), this.now);
    const status = statusOf(this.owner, report, this.now);
    if (sameJson(this.owner.status, status)) return;
    this.owner = { ...this.owner, status: status as PreviewEnvironment["status"] };
    this.writes.push(`${report.phase}: ${report.message}`);
  }
}

const progressing = { type: "Progressing", status: "True", reason: "NewReplicaSetCreated" };
/** What every new namespace shows for a moment. @param since Milliseconds since the epoch. */
function refused(since: number): Record<string, unknown> {
  const message = 'pods "pr-7-app-5d9c-x7z2p" is forbidden: status unknown for quota: preview, resources: pods';
  const lastTransitionTime = new Date(since).toISOString();
  return { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message, lastTransitionTime };
}

function runningStatus(app: Record<string, unknown> = {}): Record<string, unknown> {
  return { phase: "Running", containerStatuses: [appStatus({ state: { running: {} }, started: false, ...app })] };
}

/** What the controllers and the kubelet of a cluster show from the first Deployment until its only Pod is ready. */
function firstRollout(owner: PreviewEnvironment, begin = CREATED): Moment[] {
  const fine = pod(owner, { status: readyStatus() });
  const one = { replicas: 1, updatedReplicas: 1, unavailableReplicas: 1, conditions: [progressing] };
  const deployed = (status: Record<string, unknown>): KubeObject => deployment(owner, { status });
  return [
    { deployment: deployed({ observedGeneration: undefined }) },
    { endpointSlices: [slice(owner)] },
    { deployment: deployed({ observedGeneration: undefined, conditions: [progressing] }) },
    { deployment: deployed({ conditions: [progressing, refused(begin)], unavailableReplicas: 1 }), after: 900 },
    { deployment: deployed(one) },
    { pods: [pod(owner, { status: { containerStatuses: undefined } })] },
    { pods: [pod(owner, { status: { conditions: [{ type: "PodScheduled", status: "True" }] } })] },
    { endpointSlices: [slice(owner, [fine, false])] },
    { pods: [pod(owner, { status: runningStatus() })], after: 20_000 },
    { pods: [pod(owner, { status: runningStatus({ started: true }) })] },
    { pods: [fine] },
    { endpointSlices: [slice(owner, [fine, true])] },
    { deployment: deployed({ ...one, availableReplicas: 1, readyReplicas: 1, unavailableReplicas: undefined }) },
    { deployment: deployed({ ...one, availableReplicas: 1, readyReplicas: 1, conditions: [] }), after: 60_000 },
  ];
}

Deno.test("a first rollout writes the status twice: Provisioning, Ready", () => {
  const life = new Life(preview());
  const writes = life.pass(firstRollout(life.owner));
  assert.deepEqual(writes, [
    'Provisioning: Image "ghcr.io/acme/shop:v1" is being rolled out',
    'Ready: Image "ghcr.io/acme/shop:v1" serves at https://pr-7.preview.test',
  ]);
  assert.deepEqual(life.pass([{ after: 3_600_000 }, {}]), [], "a steady state writes nothing");
});

Deno.test("a first rollout writes the status twice also when the endpoints come last", () => {
  const life = new Life(preview());
  const moments = firstRollout(life.owner);
  const endpoints = moments.splice(-3, 1);
  assert.equal(life.pass([...moments, ...endpoints]).length, 2);
});

Deno.test("a first rollout of three Pods that come one by one writes the status twice", () => {
  const life = new Life(preview({ replicas: 3 }));
  const { owner } = life;
  const names = ["a", "b", "c"];
  const moments = names.map((_, index): Moment => {
    const pods = names.map((name, other) =>
      pod(owner, { name, status: other <= index ? readyStatus() : runningStatus() })
    );
    const status = { replicas: 3, updatedReplicas: 3, availableReplicas: index + 1 };
    const endpoints = pods.map((each, other): [KubeObject, boolean] => [each, other <= index]);
    return { pods, deployment: deployment(owner, { status }), endpointSlices: [slice(owner, ...endpoints)] };
  });
  assert.equal(life.pass([{ deployment: deployment(owner) }, ...moments]).length, 2);
});

/** An environment that has been ready for an hour. */
function ready(): Life {
  const life = new Life(preview());
  life.pass([...firstRollout(life.owner), { after: 3_600_000 }]);
  assert.equal(life.owner.status?.phase, "Ready");
  return life;
}

/** What a cluster shows while a new template takes the place of the old one. */
function update(owner: PreviewEnvironment, old: KubeObject): Moment[] {
  const deployed = (observedGeneration: number, status: Record<string, unknown>): KubeObject =>
    deployment(owner, { metadata: { generation: 2 }, status: { observedGeneration, ...status } });
  const fresh = (status?: Record<string, unknown>): KubeObject => pod(owner, { name: "pr-7-app-new", status });
  const fine = fresh(readyStatus());
  const leaving = { ...old, metadata: { ...old.metadata, deletionTimestamp: "2026-01-01T02:00:00Z" } };
  return [
    { deployment: deployed(1, { replicas: 1, updatedReplicas: 1, availableReplicas: 1 }), pods: [] },
    { deployment: deployed(2, { replicas: 1, availableReplicas: 1 }) },
    { deployment: deployed(2, { replicas: 2, updatedReplicas: 1, availableReplicas: 1, unavailableReplicas: 1 }) },
    { pods: [fresh()] },
    { pods: [fresh(runningStatus())], endpointSlices: [slice(owner, [old, true], [fine, false])] },
    { pods: [fine] },
    { deployment: deployed(2, { replicas: 2, updatedReplicas: 1, availableReplicas: 2 }) },
    { deployment: deployed(2, { replicas: 1, updatedReplicas: 1, availableReplicas: 1 }) },
    { endpointSlices: [slice(owner, [old, true], [fine, true])] },
    { endpointSlices: [slice(owner, [leaving, false], [fine, true])] },
    { endpointSlices: [slice(owner, [fine, true])], after: 30_000 },
  ];
}

Deno.test("an update writes the status twice: Provisioning, Ready", () => {
  const life = ready();
  const old = pod(life.owner, { status: readyStatus() });
  life.change({ image: "ghcr.io/acme/shop:v2" });
  assert.deepEqual(life.pass(update(life.owner, old)), [
    'Provisioning: Image "ghcr.io/acme/shop:v2" is being rolled out',
    'Ready: Image "ghcr.io/acme/shop:v2" serves at https://pr-7.preview.test',
  ]);
  assert.deepEqual(life.owner.status?.history?.map(({ outcome, image }) => `${outcome} ${image}`), [
    "Ready ghcr.io/acme/shop:v2",
    "Ready ghcr.io/acme/shop:v1",
  ]);
});

Deno.test("an update is not Ready while the endpoints are still those of the old version", () => {
  const life = ready();
  const old = pod(life.owner, { status: readyStatus() });
  life.change({ image: "ghcr.io/acme/shop:v2" });
  const moments = update(life.owner, old).filter(({ endpointSlices }) => !endpointSlices);
  const stale = { endpointSlices: [slice(life.owner, [old, true])] };
  assert.deepEqual(life.pass([...moments, stale]).map((write) => write.split(":")[0]), ["Provisioning"]);
});

Deno.test("a change that makes no new Pods writes the status once", () => {
  const life = ready();
  life.change({ ttl_seconds: 86_400 });
  assert.deepEqual(life.pass([{}, {}]).map((write) => write.split(":")[0]), ["Ready"]);
});

Deno.test("a Deployment that somebody deletes is back after two writes", () => {
  const life = ready();
  const writes = life.pass([{ deployment: undefined }, { pods: [] }, ...firstRollout(life.owner, life.now)]);
  assert.deepEqual(writes.map((write) => write.split(":")[0]), ["Provisioning", "Ready"]);
});

Deno.test("a Pod that somebody deletes is back after two writes", () => {
  const life = ready();
  const { owner } = life;
  const [fresh, fine] = [pod(owner, { name: "new" }), pod(owner, { name: "new", status: readyStatus() })];
  const deployed = (availableReplicas: number, replicas = 1): KubeObject =>
    deployment(owner, { status: { replicas, updatedReplicas: replicas, availableReplicas } });
  const writes = life.pass([
    { pods: [] },
    { deployment: deployed(0, 0) },
    { pods: [fresh] },
    { endpointSlices: [slice(owner, [fresh, false])] },
    { deployment: deployed(0) },
    { pods: [fine] },
    { deployment: deployed(1) },
    { endpointSlices: [slice(owner, [fine, true])] },
  ]);
  assert.deepEqual(writes, [
    "Degraded: 0 of 1 Pods serve",
    'Ready: Image "ghcr.io/acme/shop:v1" serves at https://pr-7.preview.test',
  ]);
});

/** A rollout whose only Pod shows these states of its container. */
function failing(owner: PreviewEnvironment, states: Record<string, unknown>[]): Moment[] {
  const deployed = deployment(owner, { status: { replicas: 1, updatedReplicas: 1, unavailableReplicas: 1 } });
  const pods = states.map((state) =>
    pod(owner, { status: { phase: "Running", containerStatuses: [appStatus(state)] } })
  );
  return [{ deployment: deployed }, ...pods.map((each): Moment => ({ pods: [each], after: 20_000 }))];
}

Deno.test("an image that does not exist writes the status twice, however often the kubelet tries", () => {
  const life = new Life(preview());
  const detail = 'failed to resolve reference "ghcr.io/acme/shop:v1": not found';
  const tries = [
    { state: { waiting: { reason: "ErrImagePull", message: detail } } },
    {
      state: {
        waiting: {
          reason: "ImagePullBackOff",
          message: `Back-off pulling image "ghcr.io/acme/shop:v1": ErrImagePull: ${detail}`,
        },
      },
    },
  ];
  assert.deepEqual(life.pass(failing(life.owner, [...tries, ...tries, ...tries])), [
    'Provisioning: Image "ghcr.io/acme/shop:v1" is being rolled out',
    `Failed: Container "app" of Pod "pr-7-app-1" cannot pull image "ghcr.io/acme/shop:v1": ${detail}`,
  ]);
  assert.equal(life.owner.status?.history?.length, 1);
});

Deno.test("a loop of crashes writes the status once for each restart and not more", () => {
  const life = new Life(preview());
  const states = [0, 1, 2, 3].flatMap((restartCount) => {
    const end = { terminated: { exitCode: 1, reason: "Error", containerID: `run-${restartCount}` } };
    const last = { terminated: { exitCode: 1, reason: "Error", containerID: `run-${restartCount - 1}` } };
    return [
      { restartCount, state: { running: {} }, ...(restartCount > 0 ? { lastState: last } : {}) },
      { restartCount, state: end, ...(restartCount > 0 ? { lastState: last } : {}) },
      ...(restartCount > 0
        ? [{ restartCount, state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: end }]
        : []),
    ];
  });
  const writes = life.pass(failing(life.owner, states)).map((write) => write.replace(/^(\w+).*code 1 /, "$1 "));
  assert.deepEqual(writes.slice(1), [
    "Failed (Error)",
    "Failed (Error), restarted once",
    "Failed (Error), restarted 2 times",
    "Failed (Error), restarted 3 times",
  ]);
  assert.deepEqual(life.owner.status?.history?.map(({ reason }) => reason), ["CrashLoopBackOff"]);
});

Deno.test("an update that fails names the reason once, and the way back is Ready again", () => {
  const life = ready();
  const old = pod(life.owner, { status: readyStatus() });
  life.change({ image: "ghcr.io/acme/shop:missing" });
  const broken = { state: { waiting: { reason: "ErrImagePull", message: "not found" } } };
  const status = { observedGeneration: 2, replicas: 2, updatedReplicas: 1, availableReplicas: 1 };
  const stuck = deployment(life.owner, { metadata: { generation: 2 }, status });
  const writes = life.pass([
    ...update(life.owner, old).slice(0, 3),
    { deployment: stuck, pods: [pod(life.owner, { name: "new", status: { containerStatuses: [appStatus(broken)] } })] },
  ]);
  assert.equal(writes.length, 2);
  assert.match(writes[1]!, /^Failed: .* cannot pull image .*; the version before keeps serving$/);
  life.change({ image: "ghcr.io/acme/shop:v1" });
  const back = { observedGeneration: 3, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
  const rolledBack = (observedGeneration: number): KubeObject =>
    deployment(life.owner, { metadata: { generation: 3 }, status: { ...back, observedGeneration } });
  const phases = life.pass([
    { deployment: rolledBack(2), pods: [old] },
    { deployment: rolledBack(3), endpointSlices: [slice(life.owner, [old, true])] },
  ]);
  assert.deepEqual(phases.map((write) => write.split(":")[0]), ["Provisioning", "Ready"]);
});

Deno.test("Pods that are refused say so after half a minute, once", () => {
  const life = new Life(preview());
  const waiting = deployment(life.owner, { status: { conditions: [progressing, refused(CREATED)] } });
  assert.equal(life.pass([{ deployment: waiting }, {}, { after: 5000 }]).length, 1);
  assert.deepEqual(life.pass([{ after: 30_000 }, {}, {}]), [
    "Provisioning: Pods cannot be made: forbidden: status unknown for quota: preview, resources: pods",
  ]);
});
