import assert from "node:assert/strict";
import fc from "fast-check";
import type { Condition } from "../api/object.ts";
import { gadget } from "./fake_owner.ts";
import { nameOf, type Report, rfc3339, sameJson, statusOf, transitions } from "./status.ts";

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0, 999);
const READY: Report = { phase: "Ready", state: "ready", reason: "Ready", message: "It serves" };
const ON_ITS_WAY: Report = { phase: "Pending", state: "reconciling", reason: "RollingOut", message: "1 of 2" };
const STUCK: Report = { phase: "Failed", state: "stalled", reason: "ImageMissing", message: "No such image" };

function conditionsOf(status: Record<string, unknown>): Condition[] {
  return status.conditions as Condition[];
}

function brief(status: Record<string, unknown>): string[] {
  return conditionsOf(status).map(({ type, status }) => `${type}=${status}`);
}

const states: Record<string, [report: Report, expected: string[]]> = {
  "ready: Ready alone": [READY, ["Ready=True"]],
  "on its way: Ready=False and Reconciling": [ON_ITS_WAY, ["Ready=False", "Reconciling=True"]],
  "stuck: Ready=False and Stalled": [STUCK, ["Ready=False", "Stalled=True"]],
};

for (const [name, [report, expected]] of Object.entries(states)) {
  Deno.test(`promise 5: statusOf(): ${name}`, () => assert.deepEqual(brief(statusOf(gadget(), report, NOW)), expected));
}

Deno.test("promise 5: all conditions carry the generation that was looked at, and whole seconds", () => {
  const status = statusOf(gadget({ generation: 7 }), STUCK, NOW);
  assert.equal(status.observedGeneration, 7);
  for (const { observedGeneration, lastTransitionTime, reason, message } of conditionsOf(status)) {
    assert.deepEqual([observedGeneration, lastTransitionTime], [7, "2026-01-01T12:00:00Z"]);
    assert.deepEqual([reason, message], ["ImageMissing", "No such image"]);
  }
});

Deno.test("promise 5: a transition time changes with its status, and with nothing else", () => {
  const first = statusOf(gadget(), ON_ITS_WAY, NOW);
  const second = statusOf(
    gadget({ generation: 2 }, { status: first }),
    { ...ON_ITS_WAY, message: "2 of 2" },
    NOW + 5_000,
  );
  assert.deepEqual(conditionsOf(second).map(({ lastTransitionTime }) => lastTransitionTime), [
    "2026-01-01T12:00:00Z",
    "2026-01-01T12:00:00Z",
  ]);
  const third = statusOf(gadget({}, { status: second }), READY, NOW + 9_000);
  assert.equal(conditionsOf(third)[0]!.lastTransitionTime, "2026-01-01T12:00:09Z");
  const fourth = statusOf(gadget({}, { status: third }), STUCK, NOW + 60_000);
  assert.deepEqual(conditionsOf(fourth).map(({ lastTransitionTime }) => lastTransitionTime), [
    "2026-01-01T12:01:00Z",
    "2026-01-01T12:01:00Z",
  ]);
});

Deno.test("promise 5: the same report of the same owner is the same status, at whatever time", () => {
  for (const report of [READY, ON_ITS_WAY, STUCK]) {
    const outcome = { outcome: "Ready", image: "a:1" };
    const first = statusOf(gadget(), { ...report, outcome, fields: { url: "x" } }, NOW);
    const again = statusOf(
      gadget({}, { status: first }),
      { ...report, outcome, fields: { url: "x" } },
      NOW + 86_400_000,
    );
    assert.ok(sameJson(first, again));
  }
});

Deno.test("statusOf() keeps the kind's own conditions and fields, and lets go of those that are not reported", () => {
  const conditions = [{ type: "Expiring", status: "True" as const, reason: "Expiring", message: "Soon" }];
  const first = statusOf(gadget(), { ...READY, conditions, fields: { url: "x" } }, NOW);
  assert.deepEqual([brief(first), first.url], [["Ready=True", "Expiring=True"], "x"]);
  const second = statusOf(gadget({}, { status: first }), READY, NOW);
  assert.deepEqual([brief(second), second.url], [["Ready=True"], undefined]);
});

Deno.test("statusOf() cuts a message at what the API takes", () => {
  const status = statusOf(gadget(), { ...STUCK, message: "x".repeat(40_000) }, NOW);
  assert.equal(conditionsOf(status)[0]!.message.length, 32_768);
});

Deno.test("the history keeps the last five outcomes, the newest first, and no repeats", () => {
  let owner = gadget();
  for (const image of ["1", "1", "2", "3", "3", "4", "5", "6"]) {
    const outcome = { outcome: "Ready", image, reason: "Ready" };
    owner = gadget({}, { status: statusOf(owner, { ...READY, outcome }, NOW) });
  }
  assert.deepEqual(owner.status.history.map(({ image }: { image: string }) => image), ["6", "5", "4", "3", "2"]);
  assert.deepEqual(owner.status.history[0], {
    time: "2026-01-01T12:00:00Z",
    outcome: "Ready",
    image: "6",
    reason: "Ready",
  });
  assert.equal(statusOf(gadget(), READY, NOW).history, undefined);
  assert.equal((statusOf(owner, READY, NOW).history as unknown[]).length, 5);
});

Deno.test("the history tells outcomes apart by the version that they are about", () => {
  let owner = gadget();
  for (const version of ["1", "1", "2"]) {
    const outcome = { outcome: "Completed", version, reason: "Migrated" };
    owner = gadget({}, { status: statusOf(owner, { ...READY, outcome }, NOW) });
  }
  assert.deepEqual(owner.status.history.map(({ version }: { version: string }) => version), ["2", "1"]);
});

const CONDITION: Condition = { type: "Ready", status: "False", reason: "A", message: "a", lastTransitionTime: "" };
const changes: Record<string, [before: Condition[], after: Condition[], expected: string[]]> = {
  "a first condition": [[], [CONDITION], ["A"]],
  "no change": [[CONDITION], [CONDITION], []],
  "another message alone": [[CONDITION], [{ ...CONDITION, message: "b" }], []],
  "another reason": [[CONDITION], [{ ...CONDITION, reason: "B" }], ["B"]],
  "another status": [[CONDITION], [{ ...CONDITION, status: "True" }], ["A"]],
  "Reconciling and Stalled, which say what Ready says": [
    [],
    [{ ...CONDITION, type: "Reconciling" }, { ...CONDITION, type: "Stalled" }],
    [],
  ],
  "a condition that is gone": [[{ ...CONDITION, type: "Expiring" }], [], []],
};

for (const [name, [before, after, expected]] of Object.entries(changes)) {
  Deno.test(`transitions(): ${name}`, () => {
    assert.deepEqual(transitions(before, after).map(({ reason }) => reason), expected);
  });
}

const equal: Record<string, [a: unknown, b: unknown, expected: boolean]> = {
  "members in another order": [{ a: 1, b: [1] }, { b: [1], a: 1 }, true],
  "a member that is undefined": [{ a: 1, b: undefined }, { a: 1 }, true],
  "a member that is null": [{ a: 1, b: null }, { a: 1 }, false],
  "items in another order": [[1, 2], [2, 1], false],
  "a shorter list": [[1], [1, 2], false],
  "a list and an object": [[], {}, false],
  "a text and a number": ["1", 1, false],
  "nothing and null": [undefined, null, false],
  "nothing and nothing": [undefined, undefined, true],
};

for (const [name, [a, b, expected]] of Object.entries(equal)) {
  Deno.test(`sameJson(): ${name}`, () => {
    assert.equal(sameJson(a, b), expected);
    assert.equal(sameJson(b, a), expected);
  });
}

Deno.test("sameJson() agrees with writing values down", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
    assert.ok(sameJson(a, JSON.parse(JSON.stringify(a))));
    if (JSON.stringify(a) === JSON.stringify(b)) assert.ok(sameJson(a, b));
  }));
});

Deno.test("rfc3339() writes whole seconds in UTC, rounded down", () => {
  assert.equal(rfc3339(NOW), "2026-01-01T12:00:00Z");
  assert.equal(rfc3339(0), "1970-01-01T00:00:00Z");
});

Deno.test("nameOf() names an object with its namespace, if it has one", () => {
  assert.equal(nameOf({ kind: "Pod", metadata: { namespace: "a", name: "b" } }), 'Pod "a/b"');
  assert.equal(nameOf({ kind: "Namespace", metadata: { name: "b" } }), 'Namespace "b"');
});
