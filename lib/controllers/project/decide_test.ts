import assert from "node:assert/strict";
import type { Environment } from "../../api/environment.ts";
import type { Project, ProjectSpec } from "../../api/project.ts";
import { decide, waitingFor } from "./decide.ts";

function project(spec: Partial<ProjectSpec> = {}): Project {
  return {
    apiVersion: "catalyst.catalyst.dev/v1alpha1",
    kind: "Project",
    metadata: { name: "shop", namespace: "acme", uid: "u" },
    spec: {
      source: { repositoryUrl: "https://github.com/acme/shop" },
      deployment: { type: "helm", path: "charts/shop" },
      ...spec,
    },
  };
}

function environment(name: string, at?: string, deployedCommit = "c"): Environment {
  const condition = {
    type: "Ready",
    status: "True" as const,
    reason: "Ready",
    message: "",
    lastTransitionTime: at ?? "",
  };
  return {
    apiVersion: "catalyst.catalyst.dev/v1alpha1",
    kind: "Environment",
    metadata: { name, namespace: "acme" },
    spec: { projectRef: { name: "shop" }, type: "development", source: { branch: "main" } },
    ...(at ? { status: { deployedCommit, conditions: [condition] } } : {}),
  };
}

Deno.test("a Project is ready when what it names is there, and counts its Environments", () => {
  const environments = [
    environment("a", "2026-01-01T00:00:00Z", "old"),
    environment("b", "2026-01-02T00:00:00Z", "new"),
    environment("c"),
  ];
  const { report, desired } = decide({ owner: project(), environments, secrets: new Set() });
  assert.equal(desired, undefined, "it has no children");
  assert.deepEqual([report.phase, report.state], ["Ready", "ready"]);
  assert.deepEqual(report.fields, { environments: 3, readyEnvironments: 2, lastCommit: "new" });
});

Deno.test("a Project without Environments has no commit", () => {
  const { report } = decide({ owner: project(), environments: [], secrets: new Set() });
  assert.deepEqual(report.fields, { environments: 0, readyEnvironments: 0 });
});

Deno.test("a Project names every Secret that is missing, and where it is named", () => {
  const owner = project({
    source: { repositoryUrl: "https://github.com/acme/shop", secretRef: { name: "git" } },
    secrets: ["there", "gone"],
  });
  const { report } = decide({ owner, environments: [], secrets: new Set(["there"]) });
  assert.deepEqual([report.phase, report.state, report.reason], ["Failed", "stalled", "SecretMissing"]);
  assert.match(report.message, /^Secret "git", named by source.secretRef, .*; Secret "gone", named by secrets, /);
});

Deno.test("a Project that is deleted waits for its Environments and names them", () => {
  assert.equal(waitingFor({ environments: [] }), undefined);
  const report = waitingFor({ environments: [environment("b"), environment("a")] })!;
  assert.deepEqual([report.phase, report.reason], ["Terminating", "EnvironmentsExist"]);
  assert.equal(report.message, 'Waits until its Environments are deleted: "acme/a", "acme/b"');
  const many = Array.from({ length: 12 }, (_, index) => environment(`e${index}`));
  assert.match(waitingFor({ environments: many })!.message, / and 2 more$/);
});
