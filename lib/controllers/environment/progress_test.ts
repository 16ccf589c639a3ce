import assert from "node:assert/strict";
import type { DeploymentReport, DeploymentRequest } from "../../deploy/deployment.ts";
import { noChanges } from "../../deploy/set_changes.ts";
import type { Seen } from "./gather.ts";
import { stagesOf } from "./progress.ts";
import type { Stage } from "./stages.ts";
import { COMMIT, seen } from "./test_objects.ts";

const NOW = 1_000;
const SERVICE = { apiVersion: "v1", kind: "Service", metadata: { name: "shop" } };
const READY: DeploymentReport = {
  state: "ready",
  reason: "Deployed",
  message: "",
  inventory: [],
  pending: [],
  changes: noChanges(),
  warnings: [],
};

const KEPT = { text: "", value: { objects: [SERVICE], hooks: [], refused: [], warnings: [] } };

/** With a rendering of revision `new`. */
function deploymentStage(performed?: Seen["performed"]): Stage {
  const rendered: Seen = {
    ...seen(),
    log: "",
    rendering: { is: "found", value: KEPT.value },
    deployment: { revision: "new" } as DeploymentRequest,
    ...(performed ? { performed } : {}),
  };
  const about = { choice: undefined, url: undefined, missing: [], ref: { commit: COMMIT }, now: NOW };
  return stagesOf({ seen: rendered, ...about }).deployment;
}

const DEPLOYMENTS: Record<string, { performed?: Seen["performed"]; expected: Partial<Stage> }> = {
  "is yet to come": { expected: { is: "working", reason: "Applying", message: "1 object is to be applied" } },
  "is done when that revision is": {
    performed: { revision: "new", kept: KEPT, report: READY },
    expected: { is: "done", reason: "Deployed", message: "1 object is deployed and ready" },
  },
  "is not done when another revision is, and is looked at again": {
    performed: { revision: "old", kept: KEPT, report: READY },
    expected: { is: "working", reason: "Applying", message: "1 object is to be applied", lookAgainAt: NOW },
  },
};

for (const [sentence, { performed, expected }] of Object.entries(DEPLOYMENTS)) {
  Deno.test(`the deployment of a revision ${sentence}`, () => assert.deepEqual(deploymentStage(performed), expected));
}
