import assert from "node:assert/strict";
import fc from "fast-check";
import { type Expiry, expiryOf } from "./expiry.ts";
import { CREATED, preview } from "./test_objects.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MAX_SECONDS = 604_800;

function at(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

interface Case {
  spec?: Record<string, unknown>;
  extendUntil?: string;
  generation?: number;
  status?: Record<string, unknown>;
  now?: number;
  maxTtlSeconds?: number;
  expiry: Partial<Expiry>;
}

const hour = { ttl_seconds: 3600 };

const CASES: Record<string, Case> = {
  "no TTL": { expiry: { updatedAt: CREATED, expiresAt: undefined, warnAt: undefined } },
  "no TTL is not extended": { extendUntil: at(CREATED + HOUR), expiry: { expiresAt: undefined } },
  "a TTL counts from the creation": {
    spec: { ttl_seconds: 7200 },
    expiry: { expiresAt: CREATED + 2 * HOUR, warnAt: CREATED + 2 * HOUR - 10 * MINUTE },
  },
  "a TTL of 100 minutes warns ten minutes before": {
    spec: { ttl_seconds: 6000 },
    expiry: { warnAt: CREATED + 90 * MINUTE },
  },
  "a short TTL warns a tenth of it before": {
    spec: { ttl_seconds: 60 },
    expiry: { expiresAt: CREATED + MINUTE, warnAt: CREATED + 54_000 },
  },
  "time that has passed while nobody looked changes nothing": {
    spec: hour,
    now: CREATED + 5 * DAY,
    expiry: { expiresAt: CREATED + HOUR },
  },
  "a change of the spec does not count from the creation": {
    spec: hour,
    generation: 4,
    now: CREATED + DAY,
    expiry: { updatedAt: CREATED + DAY, expiresAt: CREATED + HOUR },
  },
  "from the update: the first generation counts from the creation": {
    spec: { ...hour, ttl_from: "updated" },
    now: CREATED + MINUTE,
    expiry: { updatedAt: CREATED, expiresAt: CREATED + HOUR },
  },
  "from the update: a generation that is new counts from now, in whole seconds": {
    spec: { ...hour, ttl_from: "updated" },
    generation: 2,
    status: { observedGeneration: 1, updatedAt: at(CREATED) },
    now: CREATED + 30 * MINUTE + 999,
    expiry: { updatedAt: CREATED + 30 * MINUTE, expiresAt: CREATED + 90 * MINUTE },
  },
  "from the update: a generation that is known keeps its time": {
    spec: { ...hour, ttl_from: "updated" },
    generation: 2,
    status: { observedGeneration: 2, updatedAt: at(CREATED + 5 * MINUTE) },
    now: CREATED + 30 * MINUTE,
    expiry: { updatedAt: CREATED + 5 * MINUTE, expiresAt: CREATED + 65 * MINUTE },
  },
  "from the update: changed while nobody looked, it counts from now": {
    spec: { ...hour, ttl_from: "updated" },
    generation: 3,
    now: CREATED + 2 * DAY,
    expiry: { expiresAt: CREATED + 2 * DAY + HOUR },
  },
  "an extension": { spec: hour, extendUntil: at(CREATED + 3 * DAY), expiry: { expiresAt: CREATED + 3 * DAY } },
  "an extension warns ten minutes before": {
    spec: { ttl_seconds: 60 },
    extendUntil: at(CREATED + 3 * DAY),
    expiry: { warnAt: CREATED + 3 * DAY - 10 * MINUTE },
  },
  "an extension with an offset": {
    spec: hour,
    extendUntil: "2026-01-02T01:00:00+01:00",
    expiry: { expiresAt: CREATED + DAY },
  },
  "an extension as date(1) writes it": {
    spec: hour,
    extendUntil: "2026-01-02 00:00:00+00:00",
    expiry: { expiresAt: CREATED + DAY },
  },
  "an extension in small letters": {
    spec: hour,
    extendUntil: "2026-01-02t00:00:00z",
    expiry: { expiresAt: CREATED + DAY },
  },
  "an extension to a time before the end does not shorten": {
    spec: hour,
    extendUntil: at(CREATED + 5 * MINUTE),
    expiry: { expiresAt: CREATED + HOUR },
  },
  "an extension in the past does not shorten": {
    spec: hour,
    extendUntil: "2001-01-01T00:00:00Z",
    expiry: { expiresAt: CREATED + HOUR },
  },
  "an extension beyond the maximum ends there": {
    spec: hour,
    extendUntil: at(CREATED + 30 * DAY),
    expiry: { expiresAt: CREATED + 7 * DAY },
  },
  "an extension beyond the maximum, which counts from the update": {
    spec: { ...hour, ttl_from: "updated" },
    generation: 2,
    status: { observedGeneration: 2, updatedAt: at(CREATED + DAY) },
    extendUntil: at(CREATED + 30 * DAY),
    expiry: { expiresAt: CREATED + 8 * DAY },
  },
  "an extension without a maximum": {
    spec: hour,
    extendUntil: "9999-12-31T23:59:59Z",
    maxTtlSeconds: 0,
    expiry: { expiresAt: Date.UTC(9999, 11, 31, 23, 59, 59) },
  },
  "a TTL that was admitted under a larger maximum is kept": {
    spec: { ttl_seconds: 20 * 86_400 },
    expiry: { expiresAt: CREATED + 20 * DAY },
  },
  ...Object.fromEntries(
    ["tomorrow", "", "2026-01-02", "2026-01-02T00:00:00", "1767312000", "2026-13-02T00:00:00Z", "2026-01-02T25:00:00Z"]
      .map((text): [string, Case] => [
        `an extension until ${JSON.stringify(text)} is none`,
        { spec: hour, extendUntil: text, expiry: { expiresAt: CREATED + HOUR } },
      ]),
  ),
};

function expiry(
  { spec, extendUntil, generation = 1, status, now = CREATED, maxTtlSeconds = MAX_SECONDS }: Case,
): Expiry {
  const annotations = extendUntil === undefined ? undefined : { "maquette.dev/extend-until": extendUntil };
  return expiryOf(preview(spec, { metadata: { generation, annotations }, status }), now, maxTtlSeconds);
}

for (const [sentence, parts] of Object.entries(CASES)) {
  Deno.test(`expiryOf(): ${sentence}`, () => {
    const found = expiry(parts);
    for (const [name, value] of Object.entries(parts.expiry)) assert.equal(found[name as keyof Expiry], value, name);
  });
}

Deno.test("expiryOf() never ends before the TTL, never beyond TTL and maximum, and warns before the end", () => {
  const extension = fc.date({ min: new Date(0), max: new Date("9000-01-01"), noInvalidDate: true });
  fc.assert(fc.property(fc.integer({ min: 60, max: MAX_SECONDS }), extension, (ttl, until) => {
    const { expiresAt, warnAt } = expiry({ spec: { ttl_seconds: ttl }, extendUntil: until.toISOString(), expiry: {} });
    assert.ok(expiresAt! >= CREATED + ttl * 1000 && expiresAt! <= CREATED + MAX_SECONDS * 1000);
    assert.ok(warnAt! < expiresAt! && warnAt! > CREATED && expiresAt! - warnAt! <= 10 * MINUTE);
  }));
});
