import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { EVENT } from "../api/resources.ts";
import { KubeClient } from "./client.ts";
import { KubeError } from "./errors.ts";
import { EventRecorder, type EventText } from "./events.ts";
import { SCRIPTED_CREDENTIALS, ScriptedServer } from "./scripted_server.ts";

const OWNER: KubeObject = {
  apiVersion: "test.example.com/v1",
  kind: "Gadget",
  metadata: { name: "a", namespace: "default", uid: "u1", resourceVersion: "5" },
};
const READY: EventText = { type: "Normal", reason: "Ready", note: "It serves" };

interface Bench {
  recorder: EventRecorder;
  server: ScriptedServer;
  lost: unknown[];
  pass: (ms: number) => void;
}

async function withRecorder(test: (bench: Bench) => Promise<void>): Promise<void> {
  let now = Date.UTC(2026, 0, 1, 12, 0, 0, 123);
  let count = 0;
  const lost: unknown[] = [];
  const server = new ScriptedServer({ resources: [EVENT] });
  const kube = new KubeClient(SCRIPTED_CREDENTIALS, { fetch: server.fetch });
  const recorder = new EventRecorder({
    kube,
    now: () => now,
    unique: () => `n${++count}`,
    instance: "maquette-0",
    onLost: (error) => lost.push(error),
  });
  await test({ recorder, server, lost, pass: (ms) => now += ms });
  await recorder.flush();
  kube.close();
}

Deno.test("EventRecorder writes an Event with what the API asks for", async () => {
  await withRecorder(async ({ recorder, server }) => {
    recorder.record(OWNER, READY);
    await recorder.flush();
    const { metadata, ...event } = server.store.list(EVENT)[0]!;
    assert.deepEqual([metadata.namespace, metadata.name], ["default", "a.n1"]);
    assert.deepEqual(event, {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      eventTime: "2026-01-01T12:00:00.123000Z",
      type: "Normal",
      reason: "Ready",
      note: "It serves",
      action: "Reconcile",
      regarding: {
        apiVersion: "test.example.com/v1",
        kind: "Gadget",
        namespace: "default",
        name: "a",
        uid: "u1",
        resourceVersion: "5",
      },
      reportingController: "maquette.dev/operator",
      reportingInstance: "maquette-0",
    });
  });
});

Deno.test("EventRecorder makes a series of what repeats within some minutes", async () => {
  await withRecorder(async ({ recorder, server, pass }) => {
    for (let i = 0; i < 3; i++) {
      recorder.record(OWNER, READY);
      pass(5 * 60_000);
    }
    await recorder.flush();
    const events = server.store.list(EVENT);
    assert.equal(events.length, 1);
    assert.deepEqual(events[0]!.series, { count: 3, lastObservedTime: "2026-01-01T12:10:00.123000Z" });
  });
});

const others: Record<string, [about: KubeObject, event: EventText, waitMs: number]> = {
  "another object": [{ ...OWNER, metadata: { ...OWNER.metadata, uid: "u2" } }, READY, 0],
  "another reason": [OWNER, { ...READY, reason: "Failed" }, 0],
  "another note": [OWNER, { ...READY, note: "It serves again" }, 0],
  "another type": [OWNER, { ...READY, type: "Warning" }, 0],
  "the same after some minutes of silence": [OWNER, READY, 7 * 60_000],
};

for (const [name, [about, event, waitMs]] of Object.entries(others)) {
  Deno.test(`EventRecorder begins anew for ${name}`, async () => {
    await withRecorder(async ({ recorder, server, pass }) => {
      recorder.record(OWNER, READY);
      pass(waitMs);
      recorder.record(about, event);
      await recorder.flush();
      assert.equal(server.store.list(EVENT).length, 2);
      assert.equal(server.count({ verb: "patch" }), 0);
    });
  });
}

Deno.test("EventRecorder cuts notes at 1,024 bytes and between characters, as the API counts", async () => {
  await withRecorder(async ({ recorder, server }) => {
    recorder.record(OWNER, { ...READY, note: "é".repeat(2_000) });
    recorder.record(OWNER, { ...READY, note: `${"x".repeat(1_023)}🚀` });
    await recorder.flush();
    const notes = server.store.list(EVENT).map(({ note }) => note);
    assert.deepEqual(notes, ["é".repeat(512), "x".repeat(1_023)]);
  });
});

Deno.test("EventRecorder makes legal names of long ones", async () => {
  await withRecorder(async ({ recorder, server }) => {
    const name = `${"a".repeat(228)}.-${"b".repeat(20)}`;
    recorder.record({ ...OWNER, metadata: { ...OWNER.metadata, name } }, READY);
    await recorder.flush();
    assert.equal(server.store.list(EVENT)[0]!.metadata.name, `${"a".repeat(228)}.n1`);
  });
});

Deno.test("EventRecorder loses an Event that is refused, says so, and nothing else is lost", async () => {
  await withRecorder(async ({ recorder, server, lost }) => {
    server.fail({ verb: "create" }, new KubeError(403, "Forbidden", "no"));
    recorder.record(OWNER, READY);
    recorder.record(OWNER, { ...READY, reason: "Failed" });
    await recorder.flush();
    assert.equal(lost.length, 1);
    assert.deepEqual(server.store.list(EVENT).map(({ reason }) => reason), ["Failed"]);
  });
});

Deno.test("EventRecorder writes the repeats of one series one after the other", async () => {
  await withRecorder(async ({ recorder, server }) => {
    const gate = Promise.withResolvers<void>();
    server.interpose({ verb: "create" }, { before: () => gate.promise });
    for (let i = 0; i < 4; i++) recorder.record(OWNER, READY);
    gate.resolve();
    await recorder.flush();
    assert.deepEqual(server.requests.map(({ verb }) => verb), ["create", "patch", "patch", "patch"]);
    assert.equal(server.store.list(EVENT)[0]!.series.count, 4);
  });
});

Deno.test("EventRecorder remembers a thousand series and no more", async () => {
  await withRecorder(async ({ recorder, server }) => {
    recorder.record(OWNER, READY);
    for (let i = 0; i < 1_000; i++) recorder.record(OWNER, { ...READY, note: `Note ${i}` });
    recorder.record(OWNER, READY);
    await recorder.flush();
    assert.equal(server.count({ verb: "create" }), 1_002);
  });
});

Deno.test("EventRecorder writes few Events at once, all of them in the end", async () => {
  const answers: (() => void)[] = [];
  const written: string[] = [];
  const create = (object: KubeObject): Promise<KubeObject> => {
    written.push(object.note);
    return new Promise((resolve) => answers.push(() => resolve(object)));
  };
  const patch = (): never => {
    throw new Error("No series here");
  };
  const lost: unknown[] = [];
  const options = { now: () => 0, unique: () => "n", instance: "maquette-0" };
  const recorder = new EventRecorder({ kube: { create, patch }, onLost: (error) => lost.push(error), ...options });
  const notes = Array.from({ length: 40 }, (_, index) => `note ${index}`);
  for (const note of notes) recorder.record(OWNER, { ...READY, note });
  const flushed = recorder.flush().then(() => "flushed");
  await Promise.resolve();
  assert.equal(written.length, 4);
  while (answers.length > 0) {
    answers.shift()!();
    for (let step = 0; step < 20; step++) await Promise.resolve();
    assert.ok(answers.length <= 4);
  }
  assert.equal(await flushed, "flushed");
  assert.deepEqual(written, notes);
  assert.deepEqual(lost, []);
});
