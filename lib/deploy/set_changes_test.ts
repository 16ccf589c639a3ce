import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { JOB, SERVICE } from "../api/resources.ts";
import { gadget } from "../runtime/fake_owner.ts";
import { RENDERED, served } from "./fake_deployment.ts";
import { normalForm } from "./normal_form.ts";
import type { SeenObjects } from "./observer.ts";
import { Answers, changeCount, type SetChanges, setChanges } from "./set_changes.ts";
import { identityOf, marked, type Wanted } from "./wanted.ts";

const OWNER = gadget();
const NEVER = { isKnown: () => false };
const LEAVING = { deletionTimestamp: "2026-01-01T00:00:00Z" };

function wanted(object: KubeObject = RENDERED.service): Wanted {
  return { object: marked(normalForm(object, "pr-7"), OWNER), kind: served(SERVICE) };
}

/** As it stands in the namespace after it was applied. */
function there(metadata: Partial<KubeObject["metadata"]> = {}, object: KubeObject = RENDERED.service): KubeObject {
  const applied = wanted(object).object;
  return {
    ...applied,
    metadata: {
      ...applied.metadata,
      uid: "u",
      ...metadata,
      annotations: { ...applied.metadata.annotations, ...metadata.annotations },
    },
  };
}

function seen(...objects: KubeObject[]): SeenObjects {
  return new Map(
    objects.map((object) => [identityOf(object), { object, resource: object.kind === "Job" ? JOB : SERVICE }]),
  );
}

function claim(annotations: Record<string, string> = {}): KubeObject {
  const metadata = { name: "data", annotations };
  return there({}, { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata, spec: {} });
}

function brief(changes: SetChanges): Record<string, string[]> {
  const { create, update, remove, kept, leaving } = changes;
  const all = {
    create: create.map(({ object }) => object.kind),
    update: update.map(({ why }) => why),
    remove: remove.map(({ object }) => object.kind),
    kept: kept.map(({ kind }) => kind),
    leaving: leaving.map(({ kind }) => kind),
  };
  return Object.fromEntries(Object.entries(all).filter(([, names]) => names.length > 0));
}

const older = { ...there(), apiVersion: "v1", spec: { selector: { app: "shop" }, ports: [{ port: 81 }] } };
const CASES: Record<string, [wanted: Wanted[], seen: SeenObjects, changes: Record<string, string[]>]> = {
  "what is missing is made": [[wanted()], seen(), { create: ["Service"] }],
  "what is right stays": [[wanted()], seen(there()), {}],
  "what drifted is set back": [[wanted()], seen(older), { update: ["spec.ports[0].port"] }],
  "what is being deleted is waited for": [[wanted()], seen(there(LEAVING)), { leaving: ["Service"] }],
  "what left is deleted": [[], seen(there()), { remove: ["Service"] }],
  "what left and is being deleted already is left": [[], seen(there(LEAVING)), {}],
  "what says so stays": [[], seen(there({ annotations: { "maquette.dev/prune": "disabled" } })), { kept: ["Service"] }],
  "what says so in Helm's words stays": [[], seen(there({ annotations: { "helm.sh/resource-policy": "keep" } })), {
    kept: ["Service"],
  }],
  "claims stay, for their data": [[], seen(claim()), { kept: ["PersistentVolumeClaim"] }],
  "a claim that says so goes": [[], seen(claim({ "maquette.dev/prune": "enabled" })), {
    remove: ["PersistentVolumeClaim"],
  }],
  "Jobs of hooks are not looked at here": [
    [],
    seen(there({ annotations: { "maquette.dev/hook": "pre-install" } }, RENDERED.migration)),
    {},
  ],
};

for (const [name, [objects, present, expected]] of Object.entries(CASES)) {
  Deno.test(`setChanges(): ${name}`, () => assert.deepEqual(brief(setChanges(objects, present, NEVER)), expected));
}

Deno.test("setChanges(): an answer that is not what was asked for counts until something changes", () => {
  const answers = new Answers();
  const asked = wanted();
  const answer = { ...there(), spec: { ...RENDERED.service.spec, ports: [{ port: 81 }] } };
  answers.remember(asked.object, answer);
  const count = (object: KubeObject, one = asked): number => changeCount(setChanges([one], seen(object), answers));
  assert.equal(count({ ...answer, status: { loadBalancer: {} } }), 0);
  assert.equal(count({ ...answer, spec: { ...answer.spec, ports: [{ port: 82 }] } }), 1);
  assert.equal(count(answer, wanted({ ...RENDERED.service, spec: { ports: [{ port: 83 }] } })), 1);
  assert.equal(count({ ...answer, metadata: { ...answer.metadata, uid: "another" } }), 1);
});
