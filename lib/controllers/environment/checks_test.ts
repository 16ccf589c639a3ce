import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import type { HostClaim } from "../../hosts.ts";
import { foundSecrets, missingObjects, obstacleOf, type SeenEnvironment } from "./checks.ts";
import { secretSources } from "./sources.ts";
import { environment, project, seen, SETTINGS } from "./test_objects.ts";

function secret(key: string): [string, KubeObject] {
  const [namespace, name = ""] = key.split("/");
  return [key, { apiVersion: "v1", kind: "Secret", metadata: { name, namespace } }];
}

function holder(label: string): HostClaim {
  const given = `${label}.${SETTINGS.domain}`;
  return {
    kind: "PreviewEnvironment",
    key: "ci/pr",
    uid: `uid-${label}`,
    createdAt: "2025-01-01T00:00:00Z",
    given,
    wanted: [],
  };
}

const BUILD = { dockerfile: "Dockerfile", context: ".", builder: "buildkit", timeoutSeconds: 600 } as const;
const WILDCARD = { ...SETTINGS, tls: { mode: "wildcard", secret: "wildcard-tls" } } as const;
const elder = environment({}, { metadata: { name: "elder", uid: "a", creationTimestamp: "2025-01-01T00:00:00Z" } });
const younger = environment({}, { metadata: { name: "younger", uid: "z", creationTimestamp: "2027-01-01T00:00:00Z" } });
const letIn = { ...younger, status: { namespace: "acme-shop-younger" } };

const OBSTACLES: Record<string, { given: Partial<SeenEnvironment>; reason?: string; says?: RegExp; phase?: string }> = {
  "nothing": { given: {} },
  "a Project that is not there yet": {
    given: { project: undefined },
    reason: "ProjectMissing",
    phase: "Pending",
    says: /^Waits for Project "acme\/shop"$/,
  },
  "a Project that is gone": {
    given: { project: undefined, owner: environment({}, { status: { namespace: "acme-shop-dev" } }) },
    reason: "ProjectMissing",
    phase: "Pending",
    says: /stays as it is$/,
  },
  "a Project that may not be used": {
    given: {
      owner: environment({}, {
        metadata: {
          namespace: "evil",
          labels: { "catalyst.dev/team": "acme", "catalyst.dev/project": "shop", "catalyst.dev/environment": "x" },
        },
      }),
    },
    reason: "ProjectForbidden",
    says: /from namespace "evil"/,
  },
  "a home that was made for an environment": {
    given: { owner: environment({}, { metadata: { namespace: "acme-shop" } }), isNested: true },
    reason: "NestedEnvironment",
    says: /^Namespace "acme-shop" was made for an environment/,
  },
  "a namespace that is reserved": {
    given: { settings: { ...SETTINGS, reservedNamespaces: ["acme-*"] } },
    reason: "NamespaceReserved",
    says: /"acme-shop-dev"/,
  },
  "the operator's own namespace": {
    given: { owner: environment({ namespace: "maquette-system" }) },
    reason: "NamespaceReserved",
  },
  "labels that were changed": {
    given: { owner: environment({}, { status: { namespace: "acme-shop-old" } }) },
    reason: "NamespaceChanged",
    says: /made in "acme-shop-old"/,
  },
  "a cap that an older one fills": {
    given: { project: project({ maxEnvironments: 1 }), siblings: [elder, environment()] },
    reason: "TooManyEnvironments",
    says: /has 1 of at most 1 Environments \(maxEnvironments\): delete one first; the oldest is "acme\/elder"$/,
  },
  "a cap that a younger one fills, which was let in before": {
    given: { project: project({ maxEnvironments: 1 }), siblings: [letIn] },
    reason: "TooManyEnvironments",
  },
  "a cap of none": { given: { project: project({ maxEnvironments: 0 }) }, reason: "TooManyEnvironments" },
  "nothing, where a younger one waits": {
    given: { project: project({ maxEnvironments: 1 }), siblings: [environment(), younger] },
  },
  "nothing, where it was let in before the cap": {
    given: {
      project: project({ maxEnvironments: 1 }),
      siblings: [elder],
      owner: environment({}, { status: { namespace: "acme-shop-dev" } }),
    },
  },
  "nothing, where only the short host is taken": { given: { rivals: [holder("dev")] } },
  "hosts that are taken": {
    given: { rivals: [holder("dev"), holder("dev-shop-acme")] },
    reason: "HostTaken",
    says: /^Host "dev-shop-acme.preview.example.com" belongs to PreviewEnvironment "ci\/pr"$/,
  },
  "a Secret that is not there": {
    given: { project: project({ secrets: ["there", "gone"] }), secrets: new Map([secret("acme/there")]) },
    reason: "SecretMissing",
    says: /^Secret "gone", named by secrets, does not exist in namespace "acme"$/,
  },
  "a push Secret that is not there": {
    given: { project: project({ build: { ...BUILD, image: "i", pushSecretRef: { name: "push" } } }) },
    reason: "SecretMissing",
    says: /named by build.pushSecretRef/,
  },
  "a wildcard certificate that is not there": {
    given: { settings: WILDCARD },
    reason: "SecretMissing",
    says: /named by --wildcard-secret, does not exist in namespace "maquette-system"/,
  },
  "a Secret of the certificate's name": {
    given: { settings: WILDCARD, project: project({ secrets: ["wildcard-tls"] }) },
    reason: "SecretRefused",
  },
};

for (const [sentence, { given, reason, says = /^/, phase = "Failed" }] of Object.entries(OBSTACLES)) {
  Deno.test(`in the way of an environment is ${sentence}`, () => {
    const obstacle = obstacleOf(seen(given));
    assert.equal(obstacle?.reason, reason);
    if (!obstacle) return;
    assert.equal(obstacle.phase, phase);
    assert.match(obstacle.message, says);
  });
}

Deno.test("what comes at once is let in up to the cap, the oldest first", () => {
  const owners = ["a", "b", "c"].map((uid) => environment({}, { metadata: { name: uid, uid } }));
  const letInNow = owners.filter((owner) =>
    !obstacleOf(seen({ owner, siblings: owners, project: project({ maxEnvironments: 2 }) }))
  );
  assert.deepEqual(letInNow.map(({ metadata }) => metadata.name), ["a", "b"]);
});

Deno.test("missingObjects() names what is not there", () => {
  const objects = [...secret("n/a").slice(1), ...secret("n/b").slice(1)] as KubeObject[];
  assert.deepEqual(missingObjects(objects, seen({ children: new Set(["Secret n/a"]) })), ['Secret "b"']);
});

Deno.test("each Secret is copied once, however often it is named", () => {
  const of = project({ secrets: ["push"], build: { ...BUILD, image: "i", pushSecretRef: { name: "push" } } });
  assert.deepEqual(secretSources(of, SETTINGS).map(({ name }) => name), ["push"]);
  const found = foundSecrets(seen({ project: of, secrets: new Map([secret("acme/push"), secret("acme/other")]) }));
  assert.deepEqual(found.map(({ metadata }) => metadata.name), ["push"]);
});
