import assert from "node:assert/strict";
import { ANNOTATION_PAUSED } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAP, DEPLOYMENT, NAMESPACE } from "../api/resources.ts";
import type { ControllerDefinition, GatherDeps, Plan } from "./definition.ts";
import { settle } from "./fake_clock.ts";
import { gadgetChildren, gadgetKind, targetOf } from "./fake_kind.ts";
import { FakeOperator } from "./fake_operator.ts";

interface Seen {
  owner: KubeObject;
  settings: KubeObject[];
  performed?: unknown;
}

/** A Gadget that loses what `spec.revoked` names, and whose other children are left alone with `spec.isBlocked`. */
function losing(parts: Partial<ControllerDefinition<Seen>> = {}): ControllerDefinition {
  const kind: Partial<ControllerDefinition<Seen>> = {
    gather: (owner, { cache }: GatherDeps, performed) => ({
      owner,
      settings: cache(CONFIG_MAP, "children").ownedBy(owner.metadata.uid!),
      performed,
    }),
    decide: ({ owner, settings }): Plan => {
      const { revoked = [], isBlocked, isMoving } = owner.spec ?? {};
      const report = { phase: "Ready", state: "ready", reason: "Ready", message: "It serves" } as const;
      const desired = gadgetChildren(owner).filter(({ metadata }) => isMoving || !revoked.includes(metadata.name));
      return {
        ...(isBlocked ? {} : { desired }),
        revoked: settings.filter(({ metadata }) => revoked.includes(metadata.name)),
        report,
      };
    },
    ...parts,
  };
  return gadgetKind(kind as Parameters<typeof gadgetKind>[0]);
}

async function started(spec: object): Promise<FakeOperator> {
  const operator = await new FakeOperator({ definition: losing() }).start();
  operator.gadget("g", spec);
  await settle();
  operator.server.forget();
  return operator;
}

function names(operator: FakeOperator): string[] {
  const namespace = targetOf(operator.look()!);
  return operator.server.store.list(CONFIG_MAP).filter(({ metadata }) => metadata.namespace === namespace)
    .map(({ metadata }) => metadata.name);
}

const STOPPED: Record<string, (owner: KubeObject) => void> = {
  "while all else is left as it is": ({ spec }) => spec.isBlocked = true,
  "while changes are stopped": ({ metadata }) => metadata.annotations = { [ANNOTATION_PAUSED]: "true" },
};

for (const [when, stop] of Object.entries(STOPPED)) {
  Deno.test(`what an owner has no right to any more goes ${when}, and nothing else changes`, async () => {
    await using operator = await started({ extra: ["lent"] });
    operator.edit((owner) => {
      stop(owner);
      Object.assign(owner.spec, { revoked: ["lent"], text: "2" });
    });
    await settle();
    assert.deepEqual(names(operator), ["settings"]);
    assert.equal(operator.server.store.get(CONFIG_MAP, "gadget-g/settings").data.text, "1");
    assert.equal(operator.server.count({ verb: "apply" }), 0);
  });
}

for (
  const [when, isPaused, left] of [["becomes that", false, 2], ["goes while changes are stopped", true, 1]] as const
) {
  Deno.test(`what may not stay as it is, and is desired otherwise, ${when}`, async () => {
    await using operator = await started({ extra: ["lent"] });
    operator.edit((owner) => {
      if (isPaused) owner.metadata.annotations = { [ANNOTATION_PAUSED]: "true" };
      Object.assign(owner.spec, { isMoving: true, revoked: ["lent"], text: "2" });
    });
    await settle();
    assert.equal(names(operator).length, left);
    const lent = operator.server.store.find(CONFIG_MAP, "gadget-g/lent");
    assert.equal(lent?.data.text, isPaused ? undefined : "2");
  });
}

Deno.test("what is stopped is counted without what went nevertheless", async () => {
  await using operator = await started({ extra: ["lent"] });
  operator.edit((owner) => {
    owner.metadata.annotations = { [ANNOTATION_PAUSED]: "true" };
    Object.assign(owner.spec, { revoked: ["lent"], text: "2" });
  });
  await settle();
  assert.match(operator.condition("Ready")!.message, /: 1 change waits$/);
});

Deno.test("what carries the owner's uid elsewhere is not the owner's to lose", async () => {
  await using operator = await started({ extra: ["lent"] });
  const { metadata } = operator.server.store.get(CONFIG_MAP, "gadget-g/lent");
  operator.server.store.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name: "kube-system" } });
  const forged = { ...metadata, namespace: "kube-system", uid: undefined, resourceVersion: undefined };
  operator.server.store.create(CONFIG_MAP, { apiVersion: "v1", kind: "ConfigMap", metadata: forged });
  operator.edit(({ spec }) => Object.assign(spec, { isBlocked: true, revoked: ["lent"] }));
  await settle();
  assert.deepEqual(names(operator), ["settings"]);
  assert.ok(operator.server.store.find(CONFIG_MAP, "kube-system/lent"));
});

Deno.test("what goes beyond children follows from the children as they are after acting", async () => {
  const done: unknown[] = [];
  const definition = losing({
    decide: ({ owner, settings, performed }): Plan => {
      const ready = { phase: "Ready", state: "ready", reason: "Ready", message: "It serves" } as const;
      const waiting = { phase: "Pending", state: "reconciling", reason: "Waiting", message: "Waits" } as const;
      const further = settings[0]?.data.text;
      return { desired: gadgetChildren(owner), further, report: performed === undefined ? waiting : ready };
    },
    perform: (_owner, further) => {
      done.push(further);
      return Promise.resolve(further);
    },
  });
  await using operator = await new FakeOperator({ definition }).start();
  operator.gadget();
  await settle();
  operator.edit(({ spec }) => spec.text = "2");
  await settle();
  assert.deepEqual(done, ["1", "2"]);
  assert.equal(operator.condition("Ready")!.status, "True");
  assert.equal(operator.server.store.list(DEPLOYMENT).length, 1);
});
