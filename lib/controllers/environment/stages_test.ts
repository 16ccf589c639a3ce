import assert from "node:assert/strict";
import { conditionsOf, ingressStage, judgementOf, namespaceStage, type Stage, type Stages } from "./stages.ts";
import { COMMIT, environment } from "./test_objects.ts";

const DONE: Stage = { is: "done", reason: "Done", message: "Done" };
const WAITING: Stage = { is: "waiting" };
const WORKING: Stage = { is: "working", reason: "Busy", message: "At it" };
const FAILED: Stage = { is: "failed", reason: "Broken", message: "It broke" };
const UNNEEDED: Stage = { is: "unneeded", message: "Nothing to do" };
const URL = "https://dev.preview.example.com";

const ORDER = ["namespace", "source", "build", "deployment", "ingress"] as const;

/** The stages in their order; those that are left out wait. */
function stages(...given: Stage[]): Stages {
  return Object.fromEntries(ORDER.map((name, index) => [name, given[index] ?? WAITING])) as unknown as Stages;
}

const PHASES: Record<string, { given: Stages; phase: string; state: string; reason: string }> = {
  "nothing yet": { given: stages(), phase: "Pending", state: "reconciling", reason: "Waiting" },
  "the namespace": { given: stages(WORKING), phase: "Pending", state: "reconciling", reason: "Busy" },
  "fetching": { given: stages(DONE, WORKING), phase: "Pending", state: "reconciling", reason: "Busy" },
  "building": { given: stages(DONE, DONE, WORKING), phase: "Building", state: "reconciling", reason: "Busy" },
  "about to deploy": { given: stages(DONE, DONE, DONE), phase: "Deploying", state: "reconciling", reason: "Waiting" },
  "deploying": {
    given: stages(DONE, DONE, UNNEEDED, WORKING),
    phase: "Deploying",
    state: "reconciling",
    reason: "Busy",
  },
  "a failed fetch": { given: stages(DONE, FAILED), phase: "Failed", state: "stalled", reason: "Broken" },
  "a failed build": { given: stages(DONE, DONE, FAILED), phase: "Failed", state: "stalled", reason: "Broken" },
  "a git server that is away": {
    given: stages(DONE, { ...FAILED, mayPass: true, lookAgainAt: 5 } as Stage),
    phase: "Failed",
    state: "reconciling",
    reason: "Broken",
  },
  "no clear way in": {
    given: stages(DONE, DONE, DONE, DONE, FAILED),
    phase: "Failed",
    state: "stalled",
    reason: "Broken",
  },
  "all done": { given: stages(DONE, DONE, DONE, DONE, DONE), phase: "Ready", state: "ready", reason: "Ready" },
  "no image and no URL": {
    given: stages(DONE, DONE, UNNEEDED, DONE, UNNEEDED),
    phase: "Ready",
    state: "ready",
    reason: "Ready",
  },
};

for (const [sentence, { given, phase, state, reason }] of Object.entries(PHASES)) {
  Deno.test(`judgementOf(): ${sentence}`, () => {
    const judgement = judgementOf(environment(), given, { commit: COMMIT, url: URL });
    assert.deepEqual([judgement.phase, judgement.state, judgement.reason], [phase, state, reason]);
    assert.equal(judgement.conditions!.every(({ status }) => status === "True"), state === "ready");
  });
}

Deno.test("every stage has its condition, whether its turn has come or not", () => {
  assert.deepEqual(conditionsOf(stages(DONE, DONE, WORKING)), [
    { type: "NamespaceReady", status: "True", reason: "Done", message: "Done" },
    { type: "SourceReady", status: "True", reason: "Done", message: "Done" },
    { type: "BuildReady", status: "False", reason: "Busy", message: "At it" },
    { type: "DeploymentReady", status: "False", reason: "Waiting", message: "Waits for the image" },
    { type: "IngressReady", status: "False", reason: "Waiting", message: "Waits for the deployment" },
  ]);
});

Deno.test("a commit that fails says which one keeps serving", () => {
  const before = environment({}, { status: { deployedCommit: "b".repeat(40) } });
  const { message, outcome } = judgementOf(before, stages(DONE, DONE, FAILED), { commit: COMMIT });
  assert.equal(message, `It broke; commit "${"b".repeat(40)}" keeps serving`);
  assert.equal(outcome!.message, `BuildReady: ${message}`);
  const same = environment({}, { status: { deployedCommit: COMMIT } });
  assert.equal(judgementOf(same, stages(DONE, DONE, FAILED), { commit: COMMIT }).message, "It broke");
});

Deno.test("what is ready says where it serves, or why nowhere", () => {
  const at = (ingress: Stage): string =>
    judgementOf(environment(), stages(DONE, DONE, DONE, DONE, ingress), { commit: COMMIT, url: URL }).message;
  assert.equal(at(DONE), `Commit "${COMMIT}" serves at ${URL}`);
  assert.equal(at(UNNEEDED), `Commit "${COMMIT}" is ready. Nothing to do`);
});

Deno.test("when to look again is the stage's that is at work", () => {
  const given = stages(DONE, { ...WORKING, lookAgainAt: 7 } as Stage);
  assert.equal(judgementOf(environment(), given, {}).lookAgainAt, 7);
});

Deno.test("the namespace is done when nothing of it is missing", () => {
  assert.equal(namespaceStage("n", []).is, "done");
  const stage = namespaceStage("n", ['RoleBinding "x"']);
  assert.deepEqual(stage, { is: "working", reason: "SettingUp", message: 'Setting up namespace "n": RoleBinding "x"' });
});

Deno.test("the way in is a stage: done, not needed, or somebody's to say", () => {
  assert.equal(ingressStage({ how: "own", backend: { service: "web", port: 80 } }, URL).is, "done");
  assert.equal(ingressStage({ how: "deployed", ingresses: ["web"] }, URL).is, "done");
  assert.equal(ingressStage({ how: "none", message: "" }, URL).is, "unneeded");
  assert.equal(ingressStage({ how: "unclear", reason: "PortMissing", message: "" }, URL).is, "failed");
});
