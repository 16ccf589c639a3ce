import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { gadget } from "./fake_owner.ts";
import { type Report, statusOf } from "./status.ts";
import { statusRules } from "./status_rules.ts";

const NOW = Date.UTC(2026, 0, 1, 12);
const CREATED = "2026-01-01T11:00:00Z";
const ENTRY = { kind: "Service", namespace: "x", name: "svc" };

const reports: Record<string, Report> = {
  "ready": { phase: "Ready", state: "ready", reason: "Ready", message: "It serves", inventory: [ENTRY] },
  "on its way": { phase: "Pending", state: "reconciling", reason: "RollingOut", message: "1 of 2" },
  "stuck": { phase: "Failed", state: "stalled", reason: "NotOwned", message: "Delete it" },
};

/** A good Gadget whose status one change breaks. */
function broken(
  change: (status: KubeObject["status"], owner: KubeObject) => void,
  report = reports["on its way"]!,
): KubeObject {
  const owner = gadget({ generation: 2, creationTimestamp: CREATED });
  owner.status = structuredClone(statusOf(owner, report, NOW));
  change(owner.status, owner);
  return owner;
}

for (const [name, report] of Object.entries(reports)) {
  Deno.test(`promise 5: status rules: what the runtime writes of an owner that is ${name} breaks none`, () => {
    assert.deepEqual(statusRules(broken(() => {}, report), NOW), []);
  });
}

const violations: Record<string, [rules: string[], owner: KubeObject]> = {
  "no status": [["S01", "S06", "S12"], broken((_status, owner) => delete owner.status)],
  "no condition Ready": [["S01"], broken((status) => status.conditions.shift())],
  "a condition twice": [["S02"], broken((status) => status.conditions.push(status.conditions[0]))],
  "Ready and Reconciling": [["S03"], broken((status) => status.conditions[0].status = "True")],
  "not Ready, and not a word why": [["S04"], broken((status) => status.conditions.pop())],
  "Reconciling and Stalled": [
    ["S04"],
    broken((status) => status.conditions.push({ ...status.conditions[1], type: "Stalled" })),
  ],
  "Stalled=False": [["S05"], broken((status) => status.conditions[1].status = "False")],
  "a generation that is ahead": [
    ["S06"],
    broken((status) => {
      status.observedGeneration = 3;
      for (const condition of status.conditions) condition.observedGeneration = 3;
    }),
  ],
  "a condition that is ahead": [["S07"], broken((status) => status.conditions[1].observedGeneration = 3)],
  "a Ready that is behind": [["S08"], broken((status) => status.conditions[0].observedGeneration = 1)],
  "a reason of two words": [["S09"], broken((status) => status.conditions[0].reason = "Not owned")],
  "a message that is empty": [["S10"], broken((status) => status.conditions[0].message = "")],
  "a transition before the object was made": [
    ["S11"],
    broken((status) => status.conditions[0].lastTransitionTime = "2026-01-01T10:59:59Z"),
  ],
  "a transition to come": [
    ["S11"],
    broken((status) => status.conditions[0].lastTransitionTime = "2026-01-01T12:00:01Z"),
  ],
  "a transition with milliseconds": [
    ["S11"],
    broken((status) => status.conditions[0].lastTransitionTime = "2026-01-01T12:00:00.000Z"),
  ],
  "no phase": [["S12"], broken((status) => delete status.phase)],
  "Ready while it is deleted": [
    ["S13"],
    broken((_status, { metadata }) => metadata.deletionTimestamp = CREATED, reports.ready),
  ],
  "a history of six": [
    ["S14"],
    broken((status) => status.history = Array.from({ length: 6 }, () => ({ time: CREATED, outcome: "Ready" }))),
  ],
  "a history upside down": [
    ["S14"],
    broken((status) => status.history = [CREATED, "2026-01-01T11:30:00Z"].map((time) => ({ time, outcome: "Ready" }))),
  ],
  "a child twice": [["S15"], broken((status) => status.inventory.push(ENTRY), reports.ready)],
};

for (const [name, [rules, owner]] of Object.entries(violations)) {
  Deno.test(`status rules: ${name} is found`, () => {
    assert.deepEqual(statusRules(owner, NOW).map((line) => line.slice(0, 3)), rules);
  });
}
