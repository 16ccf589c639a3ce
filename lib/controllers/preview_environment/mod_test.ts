import assert from "node:assert/strict";
import { keyOf, type KubeObject, type Resource } from "../../api/object.ts";
import { Cache } from "../../runtime/cache.ts";
import type { ControllerDefinition, WatchNeed } from "../../runtime/definition.ts";
import { stamp } from "../../runtime/ownership.ts";
import { desiredObjects } from "./desired.ts";
import type { Seen } from "./gather.ts";
import { BY_TARGET, PREVIEW_PERMISSIONS, previewEnvironmentController } from "./mod.ts";
import { preview, SETTINGS } from "./test_objects.ts";

const definition = previewEnvironmentController({ ...SETTINGS, tls: { mode: "wildcard", secret: "wild" } });

/** Environments as the runtime caches them, with the kind's indexes. */
function cached(...owners: KubeObject[]): Cache {
  const cache = new Cache();
  for (const [name, of] of Object.entries(definition.indexes ?? {})) cache.addIndex(name, of);
  for (const owner of owners) cache.put({ ...owner, metadata: { ...owner.metadata, resourceVersion: "1" } });
  return cache;
}

function need(kind: string, scope: string): WatchNeed {
  return [...definition.owns, ...definition.watches].find((each) =>
    each.resource.kind === kind && each.scope === scope
  )!;
}

function object(kind: string, name: string, namespace?: string): KubeObject {
  return { apiVersion: "v1", kind, metadata: { name, namespace } };
}

function environment(host?: string): KubeObject {
  return { ...object("Environment", "e", "team-b"), spec: { projectRef: { name: "shop" } }, status: { host } };
}

const first = preview({}, { metadata: { name: "first", uid: "uid-1" } });
const second = preview({ env_from: [{ secretRef: { name: "s" } }, { configMapRef: { name: "c" } }] }, {
  metadata: { name: "second", uid: "uid-2" },
});
const elsewhere = preview({ pr_number: 8 }, { metadata: { name: "elsewhere", uid: "uid-3" } });

const CONCERNED: Record<string, { change: KubeObject; scope: string; concerns: string[] }> = {
  "a namespace: those that want it": {
    change: object("Namespace", "preview-pr-7"),
    scope: "all",
    concerns: ["team-a/first", "team-a/second"],
  },
  "a namespace of ours: its owner first": {
    change: stamp(object("Namespace", "preview-pr-8"), elsewhere),
    scope: "all",
    concerns: ["team-a/elsewhere"],
  },
  "a namespace of an owner that is gone: those that wait for it": {
    change: stamp(object("Namespace", "preview-pr-7"), preview({}, { metadata: { name: "gone" } })),
    scope: "all",
    concerns: ["team-a/gone", "team-a/first", "team-a/second"],
  },
  "a namespace that nobody wants": { change: object("Namespace", "kube-system"), scope: "all", concerns: [] },
  "a Secret: those that name it": {
    change: object("Secret", "s", "team-a"),
    scope: "all",
    concerns: ["team-a/second"],
  },
  "a ConfigMap: those that name it": {
    change: object("ConfigMap", "c", "team-a"),
    scope: "all",
    concerns: ["team-a/second"],
  },
  "a ConfigMap of a Secret's name": { change: object("ConfigMap", "s", "team-a"), scope: "all", concerns: [] },
  "a Secret of the name elsewhere": { change: object("Secret", "s", "team-b"), scope: "all", concerns: [] },
  "an Environment: those of the host that it has": {
    change: environment("pr-8.preview.test"),
    scope: "all",
    concerns: ["team-a/elsewhere"],
  },
  "an application: those of its host": {
    change: {
      ...object("PortfolioApp", "a", "team-b"),
      spec: { ingress: { enabled: true, host: "pr-8.preview.test" } },
    },
    scope: "all",
    concerns: ["team-a/elsewhere"],
  },
  "an Environment that has no host yet": { change: environment(), scope: "all", concerns: [] },
  "an Environment below another domain": {
    change: environment("pr-8.preview.com"),
    scope: "all",
    concerns: [],
  },
  "the wildcard certificate: all": {
    change: object("Secret", "wild", "maquette-system"),
    scope: "all",
    concerns: ["team-a/first", "team-a/second", "team-a/elsewhere"],
  },
};

for (const [sentence, { change, scope, concerns }] of Object.entries(CONCERNED)) {
  for (const type of ["ADDED", "DELETED"] as const) {
    Deno.test(`${type} concerns ${sentence}`, () => {
      const owners = need(change.kind, scope).owners!({ type, object: change }, cached(first, second, elsewhere));
      assert.deepEqual([...new Set(owners)], concerns);
    });
  }
}

Deno.test("environments are found by the namespace that they are for", () => {
  const cache = cached(first, preview({ namespace: "own" }, { metadata: { name: "explicit", uid: "u" } }));
  assert.deepEqual(cache.indexed(BY_TARGET, "preview-pr-7").map(keyOf), ["team-a/first"]);
  assert.deepEqual(cache.indexed(BY_TARGET, "own").map(keyOf), ["team-a/explicit"]);
});

Deno.test("the namespace must be gone before the environment is", () => {
  const [root, ...others] = definition.roots(preview({ namespace: "own" }), { cache: () => new Cache() });
  assert.deepEqual([root!.resource.kind, root!.name, others], ["Namespace", "own", []]);
});

Deno.test("every kind of child is owned, so that it is repaired and pruned", () => {
  const owned = definition.owns.map(({ resource }) => resource.kind);
  const kinds = new Set(desiredObjects(first, SETTINGS, { sources: [] }).map(({ kind }) => kind));
  for (const kind of [...kinds, "Secret", "ConfigMap"]) assert.ok(owned.includes(kind), kind);
});

function mayDo({ group, plural }: Resource, verb: string): boolean {
  return PREVIEW_PERMISSIONS.some(({ groups, resources, verbs }) =>
    groups.includes(group) && resources.includes(plural) && verbs.includes(verb)
  );
}

Deno.test("everything that is watched may be watched, and everything that is owned may be changed", () => {
  const { kind, owns, watches } = definition;
  for (const { resource } of [{ resource: kind }, ...owns, ...watches]) {
    for (const verb of ["list", "watch"]) assert.ok(mayDo(resource, verb), `${verb} ${resource.plural}`);
  }
  for (const { resource } of owns) {
    for (const verb of ["get", "create", "patch", "delete"]) {
      assert.ok(mayDo(resource, verb), `${verb} ${resource.plural}`);
    }
  }
  assert.ok(mayDo({ ...kind, plural: `${kind.plural}/status` }, "patch"));
  assert.ok(mayDo({ ...kind, group: "", plural: "pods/log" }, "get"));
});

Deno.test("nothing is allowed that is not needed", () => {
  const verbs = new Set(PREVIEW_PERMISSIONS.flatMap((permission) => permission.verbs));
  assert.deepEqual([...verbs].sort(), ["create", "delete", "get", "list", "patch", "watch"]);
  assert.ok(PREVIEW_PERMISSIONS.every(({ groups, resources }) => ![...groups, ...resources].includes("*")));
});

const secret: KubeObject = {
  ...object("Secret", "s", "team-a"),
  data: { token: "c2VjcmV0" },
  metadata: {
    name: "s",
    namespace: "team-a",
    annotations: { "kubectl.kubernetes.io/last-applied-configuration": "c2VjcmV0" },
  },
};

for (
  const [kind, scope] of [["Secret", "all"], ["Secret", "children"], ["ConfigMap", "all"], ["ConfigMap", "children"]]
) {
  Deno.test(`no cache holds the content of a ${kind} (${scope})`, () => {
    assert.ok(!("data" in need(kind!, scope!).shape!({ ...secret, kind: kind! })));
  });
}

Deno.test("of foreign Secrets and ConfigMaps not even annotations are kept", () => {
  assert.doesNotMatch(JSON.stringify(need("Secret", "all").shape!(secret)), /c2VjcmV0/);
});

Deno.test("the definition gathers, decides and counts", async () => {
  const counted: string[] = [];
  const metrics = { reconciled: (owner: KubeObject): void => void counted.push(owner.metadata.name) };
  const counting: ControllerDefinition<Seen> = previewEnvironmentController(SETTINGS, metrics as never);
  const refuse = (): never => assert.fail("Nothing may be asked for");
  const deps = {
    cache: () => new Cache(),
    kube: { get: refuse, logs: refuse },
    clock: { now: () => 0, monotonic: refuse, at: refuse },
    wake: refuse,
  };
  const plan = counting.decide(await counting.gather(first, deps), 0);
  counting.reconciled!(first, {});
  assert.equal(plan.report.phase, "Provisioning");
  assert.deepEqual(counted, ["first"]);
});
