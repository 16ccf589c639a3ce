import assert from "node:assert/strict";
import { createControllers } from "../cli/controllers.ts";
import { ANNOTATION_OWNER, FINALIZER, LABEL_MANAGED_BY, MANAGED_BY } from "../lib/api/names.ts";
import type { KubeObject } from "../lib/api/object.ts";
import type { PreviewEnvironment } from "../lib/api/preview_environment.ts";
import { readCommandLine } from "../lib/config.ts";
import { CREATED, preview, rolledOut } from "../lib/controllers/preview_environment/test_objects.ts";
import type { ControllerDefinition } from "../lib/runtime/definition.ts";
import { withDigest } from "../lib/runtime/differs.ts";
import { FakeClock } from "../lib/runtime/fake_clock.ts";
import { stamp } from "../lib/runtime/ownership.ts";
import { inventoryEntry, statusOf } from "../lib/runtime/status.ts";
import { needsOf, problemsOf, World } from "./asked.ts";

const NOW = CREATED + 60_000;
const CONTROLLERS = createControllers(readCommandLine(["--tls=none"], {}).config);
const [PREVIEWS] = CONTROLLERS as [ControllerDefinition];
const NAME = 'PreviewEnvironment "team-a/shop-7"';

/** A cluster as a list of objects that a test breaks. */
interface Scene {
  asked: KubeObject[];
  objects: KubeObject[];
  /** The first object of a kind. */
  first(kind: string): KubeObject;
}

/** One environment, Ready, with all its children. */
async function settled(): Promise<Scene> {
  const metadata = { finalizers: [FINALIZER], resourceVersion: "1" };
  const owner = preview({ image: "ghcr.io/acme/shop:v1" }, { metadata });
  const { deployment, pods = [], endpointSlices = [] } = rolledOut(owner);
  const made = [...pods, ...endpointSlices].map(versioned);
  const empty = worldOf({ objects: [owner, ...made] });
  const desired = (await planOf(owner, empty)).desired!.map((child) => versioned(withDigest(stamp(child, owner))));
  const { status } = deployment!;
  const children = desired.map((child) =>
    child.kind === "Deployment" ? { ...child, metadata: { ...child.metadata, generation: 1 }, status } : child
  );
  const { report } = await planOf(owner, worldOf({ objects: [owner, ...children, ...made] }));
  const inventory = desired.map(inventoryEntry);
  const ready = { ...owner, status: statusOf(owner, { ...report, inventory }, NOW) };
  const objects = structuredClone([ready, ...children, ...made]) as KubeObject[];
  const first = (kind: string): KubeObject => objects.find((object) => object.kind === kind)!;
  return { asked: [structuredClone({ ...owner, status: undefined })], objects, first };
}

async function planOf(owner: PreviewEnvironment, world: World): Promise<ReturnType<ControllerDefinition["decide"]>> {
  return PREVIEWS.decide(await PREVIEWS.gather(owner, world.gatherDeps()), NOW);
}

function versioned(object: KubeObject): KubeObject {
  const { uid = `uid-of-${object.kind}-${object.metadata.name}` } = object.metadata;
  return { ...object, metadata: { ...object.metadata, uid, resourceVersion: "1" } };
}

function worldOf({ objects }: { objects: readonly KubeObject[] }): World {
  const world = new World(CONTROLLERS, new FakeClock(NOW));
  for (const need of needsOf(CONTROLLERS)) {
    world.fill(need, objects.filter(({ kind }) => kind === need.resource.kind));
  }
  return world;
}

Deno.test("a cluster that is what was asked for has no problem", async () => {
  const scene = await settled();
  assert.deepEqual(await problemsOf(scene.asked, worldOf(scene)), []);
});

const PROBLEMS: Record<string, { breaks: (scene: Scene) => void; says: RegExp }> = {
  "an environment that is lost": {
    breaks: ({ objects }) => void objects.splice(0, objects.length),
    says: exactly(`${NAME} is lost`),
  },
  "an environment that was not asked for": {
    breaks: ({ asked }) => void asked.splice(0, 1),
    says: exactly(`${NAME} is there and was not asked for`),
  },
  "a child of an owner that was not asked for": {
    breaks: ({ asked, objects }) => void [asked.splice(0, 1), objects.splice(0, 1)],
    says: /^Service "preview-pr-7\/pr-7-svc" is left of an owner that was not asked for$/,
  },
  "a namespace with our label and no owner at all": {
    breaks: ({ objects }) => {
      const labels = { [LABEL_MANAGED_BY]: MANAGED_BY };
      objects.push({ apiVersion: "v1", kind: "Namespace", metadata: { name: "stray", resourceVersion: "1", labels } });
    },
    says: /^Namespace "stray" is left of an owner that was not asked for$/,
  },
  "a spec that is an older one": {
    breaks: ({ asked }) => void (asked[0]!.spec.replicas = 2),
    says: exactly(`${NAME} is not as it was asked for: spec.replicas differs`),
  },
  "a phase that is not Ready": {
    breaks: ({ first }) => void (first("PreviewEnvironment").status.phase = "Provisioning"),
    says: new RegExp(`^${NAME} is "Provisioning" and not Ready: Image`),
  },
  "a generation that nobody looked at": {
    breaks: ({ first }) => void (first("PreviewEnvironment").metadata.generation = 2),
    says: exactly(`${NAME} was last looked at in generation 1 of 2`),
  },
  "a status that breaks a rule": {
    breaks: ({ first }) => void first("PreviewEnvironment").status.conditions.splice(0),
    says: exactly(`${NAME} breaks rule S01 Ready is present: it is not`),
  },
  "a status that tells of an older image": {
    breaks: ({ first }) => void (first("PreviewEnvironment").status.image = "ghcr.io/acme/shop:v0"),
    says: exactly(`${NAME} says something else than what is there: status.image differs`),
  },
  "an owner without its finalizer": {
    breaks: ({ first }) => void (first("PreviewEnvironment").metadata.finalizers = []),
    says: exactly(`${NAME} lacks the finalizer "${FINALIZER}"`),
  },
  "an owner that does not go": {
    breaks: ({ first }) => void (first("PreviewEnvironment").metadata.deletionTimestamp = "2026-01-01T00:00:30Z"),
    says: exactly(`${NAME} is being deleted, held since 2026-01-01T00:00:30Z by ${FINALIZER}`),
  },
  "a child that is lost": {
    breaks: ({ objects, first }) => void objects.splice(objects.indexOf(first("Ingress")), 1),
    says: exactly(`${NAME} lacks Ingress "preview-pr-7/pr-7-ingress"`),
  },
  "a child with another image": {
    breaks: ({ first }) => void (first("Deployment").spec.template.spec.containers[0].image = "ghcr.io/acme/shop:v0"),
    says: new RegExp(`^${NAME} wants another Deployment "preview-pr-7/pr-7-app": spec.template.*image differs$`),
  },
  "a child too many": {
    breaks: ({ objects, first }) => {
      const twin = structuredClone(first("Service"));
      objects.push({ ...twin, metadata: { ...twin.metadata, name: "twin" } });
    },
    says: exactly(`${NAME} has Service "preview-pr-7/twin", which is not wanted`),
  },
  "a child that does not go": {
    breaks: ({ first }) => void (first("Namespace").metadata.deletionTimestamp = "2026-01-01T00:00:30Z"),
    says: /^Namespace "preview-pr-7" is being deleted, held since 2026-01-01T00:00:30Z by no finalizer$/,
  },
  "a child that will not go": {
    breaks: ({ first }) => void (first("Service").metadata.finalizers = ["example.com/hold"]),
    says: /^Service "preview-pr-7\/pr-7-svc" has finalizers: example.com\/hold$/,
  },
  "a Ready that the Pods do not bear out": {
    breaks: ({ first }) => void (first("Deployment").status.availableReplicas = 0),
    says: new RegExp(`^${NAME} is "\\w+" by what is there: `),
  },
};

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
}

for (const [what, { breaks, says }] of Object.entries(PROBLEMS)) {
  Deno.test(`the comparison finds ${what}`, async () => {
    const scene = await settled();
    breaks(scene);
    const problems = await problemsOf(scene.asked, worldOf(scene));
    assert.ok(problems.some((problem) => says.test(problem)), problems.join("\n") || "no problem at all");
  });
}

Deno.test("the comparison passes over finalizers of what the cluster made of our children", async () => {
  const scene = await settled();
  scene.first("Pod").metadata.finalizers = ["batch.kubernetes.io/job-tracking"];
  assert.equal(scene.first("Pod").metadata.annotations?.[ANNOTATION_OWNER], undefined);
  assert.deepEqual(await problemsOf(scene.asked, worldOf(scene)), []);
});

Deno.test("the comparison leaves alone what is not ours", async () => {
  const scene = await settled();
  const metadata = { name: "other", resourceVersion: "1", deletionTimestamp: "2026-01-01T00:00:30Z" };
  scene.objects.push({ apiVersion: "v1", kind: "Namespace", metadata });
  assert.deepEqual(await problemsOf(scene.asked, worldOf(scene)), []);
});
