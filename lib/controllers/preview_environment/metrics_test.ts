import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { keyOf, type KubeObject } from "../../api/object.ts";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import { Cache, type Change } from "../../runtime/cache.ts";
import { PreviewMetrics } from "./metrics.ts";
import { CREATED, preview } from "./test_objects.ts";

/** Metrics over environments that come and go. */
class Board {
  readonly #registry = new Registry();
  readonly #cache = new Cache();
  readonly #metrics: PreviewMetrics;
  #listener: (change: Change) => void = () => {};
  #version = 1;
  now = CREATED;

  constructor(perPullRequest = true) {
    this.#metrics = new PreviewMetrics(this.#registry, { now: () => this.now, perPullRequest });
    this.#metrics.follow({ cache: this.#cache, subscribe: (listener) => void (this.#listener = listener) });
  }

  /** A watch shows the environment. */
  put(owner: PreviewEnvironment): void {
    const change = this.#cache.put({
      ...owner,
      metadata: { ...owner.metadata, resourceVersion: String(++this.#version) },
    });
    if (change) this.#listener(change);
  }

  remove(owner: PreviewEnvironment): void {
    const change = this.#cache.remove(keyOf(owner), String(++this.#version));
    if (change) this.#listener(change);
  }

  /** The runtime reconciled it. @returns The environment with the status that was written. */
  reconciled(owner: PreviewEnvironment, status: Record<string, unknown>): PreviewEnvironment {
    this.#metrics.reconciled(owner, status);
    return { ...owner, status: status as PreviewEnvironment["status"] };
  }

  /** All values but buckets, by `name{label="value"}`. */
  async values(): Promise<Record<string, number>> {
    const lines = (await this.#registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const entries = lines.map((line): [string, number] => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    });
    return Object.fromEntries(entries.filter(([name]) => !name.includes("_bucket")));
  }

  async value(name: string): Promise<number | undefined> {
    return (await this.values())[name];
  }

  async text(): Promise<string> {
    return await this.#registry.metrics();
  }
}

function status(phase: string, reason = phase, history: { outcome: string }[] = []): Record<string, unknown> {
  return { phase, conditions: [{ type: "Ready", reason }], history };
}

function numbered(pr: number, branch = `feature/${pr}`): PreviewEnvironment {
  const metadata = { name: `pr-${pr}`, uid: `uid-${pr}` };
  return preview({ pr_number: pr, branch_name: branch }, { metadata });
}

Deno.test("names and labels are those that dashboards know", async () => {
  const board = new Board();
  const owner = numbered(7);
  board.put(owner);
  board.now = CREATED + 4000;
  const failed = board.reconciled(owner, status("Failed", "ImagePullBackOff"));
  const ready = board.reconciled(failed, status("Ready"));
  board.reconciled(ready, status("Expired"));
  assert.deepEqual(await board.values(), {
    'preview_environments_created_total{branch_name="feature/7"}': 1,
    'preview_environments_failed_total{step="image"}': 1,
    'preview_environments_reconcile_total{pr_number="7"}': 3,
    preview_environments_active: 1,
    preview_environment_creation_duration_seconds_sum: 4,
    preview_environment_creation_duration_seconds_count: 1,
    preview_environments_expired_total: 1,
  });
  const types = (await board.text()).match(/^# TYPE .*/gm)!.map((line) => line.slice("# TYPE ".length)).sort();
  assert.deepEqual(types, [
    "preview_environment_creation_duration_seconds histogram",
    "preview_environments_active gauge",
    "preview_environments_created_total counter",
    "preview_environments_expired_total counter",
    "preview_environments_failed_total counter",
    "preview_environments_reconcile_total counter",
  ]);
});

Deno.test("an environment is counted once as created, however often it is reconciled", async () => {
  const board = new Board();
  const begun = board.reconciled(numbered(7), status("Provisioning"));
  const ready = board.reconciled(begun, status("Ready"));
  board.reconciled(ready, status("Ready"));
  assert.equal(await board.value('preview_environments_created_total{branch_name="feature/7"}'), 1);
});

Deno.test("nothing is counted again at a restart", async () => {
  for (const phase of ["Provisioning", "Ready", "Degraded", "Failed", "Expired"]) {
    const before = new Board().reconciled(numbered(7), status(phase));
    const restarted = new Board();
    restarted.put(before);
    restarted.reconciled(before, status(phase));
    assert.deepEqual(await restarted.values(), {
      'preview_environments_reconcile_total{pr_number="7"}': 1,
      preview_environments_active: 1,
      preview_environment_creation_duration_seconds_sum: 0,
      preview_environment_creation_duration_seconds_count: 0,
      preview_environments_expired_total: 0,
    }, phase);
  }
});

Deno.test("an environment that is deleted before anything was made is not counted as created", async () => {
  const board = new Board();
  const owner = numbered(7);
  const leaving = { ...owner, metadata: { ...owner.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  board.reconciled(leaving, status("Terminating"));
  assert.equal(await board.value('preview_environments_created_total{branch_name="feature/7"}'), undefined);
});

Deno.test("active is what the cache holds and is not being deleted", async () => {
  const board = new Board();
  board.put(numbered(7));
  board.put(numbered(8));
  const leaving = numbered(9);
  board.put({ ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } });
  assert.equal(await board.value("preview_environments_active"), 2);
  board.remove(numbered(7));
  assert.equal(await board.value("preview_environments_active"), 1);
});

const DURATIONS: Record<string, { before: string[]; counted: number }> = {
  "the first Ready": { before: [], counted: 1 },
  "the first Ready after failures": { before: ["Failed", "Failed"], counted: 1 },
  "a later Ready": { before: ["Failed", "Ready"], counted: 0 },
  "a Ready after so many failures that nobody knows": { before: Array(5).fill("Failed"), counted: 0 },
};

for (const [sentence, { before, counted }] of Object.entries(DURATIONS)) {
  Deno.test(`the duration of a creation is counted for ${sentence}: ${counted}`, async () => {
    const board = new Board();
    const history = before.map((outcome) => ({ outcome }));
    const owner = board.reconciled(numbered(7), status("Provisioning", "RollingOut", history));
    board.reconciled(owner, status("Ready"));
    assert.equal(await board.value("preview_environment_creation_duration_seconds_count"), counted);
  });
}

const STEPS: Record<string, string> = {
  NotOwned: "claim",
  SourceMissing: "source",
  SourceRefused: "source",
  ImagePullBackOff: "image",
  InvalidImageName: "image",
  ErrImageNeverPull: "image",
  CrashLoopBackOff: "start",
  OOMKilled: "start",
  Error: "start",
  CreateContainerConfigError: "start",
  OutOfnvidiacomgpu: "start",
  "": "start",
  ProgressDeadlineExceeded: "rollout",
  Unschedulable: "rollout",
  FailedCreate: "rollout",
  ReconcileError: "apply",
  Forbidden: "apply",
  Refused: "apply",
};

for (const [reason, step] of Object.entries(STEPS)) {
  Deno.test(`a failure by "${reason}" is one of step ${step}`, async () => {
    const board = new Board();
    const owner = board.reconciled(numbered(7), status("Provisioning"));
    const failed = board.reconciled(owner, status("Failed", reason));
    board.reconciled(failed, status("Failed", reason));
    assert.equal(await board.value(`preview_environments_failed_total{step="${step}"}`), 1);
  });
}

Deno.test("labels of a pull request go with its environment", async () => {
  const board = new Board();
  for (const pr of [7, 8]) board.put(board.reconciled(numbered(pr), status("Ready")));
  board.remove(numbered(7));
  const shown = await board.text();
  assert.doesNotMatch(shown, /pr_number="7"|branch_name="feature\/7"/);
  assert.match(shown, /pr_number="8"/);
  assert.match(shown, /branch_name="feature\/8"/);
});

Deno.test("a label stays while another environment shares it", async () => {
  const board = new Board();
  const [one, two] = [numbered(7, "main"), numbered(8, "main")];
  for (const owner of [one, two]) board.put(board.reconciled(owner, status("Ready")));
  board.remove(one);
  assert.equal(await board.value('preview_environments_created_total{branch_name="main"}'), 2);
  board.remove(two);
  assert.equal(await board.value('preview_environments_created_total{branch_name="main"}'), undefined);
});

Deno.test("one number in two repositories is one label until both are gone", async () => {
  const board = new Board();
  const one = numbered(7);
  const two = { ...numbered(7), metadata: { ...one.metadata, name: "other-7", uid: "uid-other" } };
  for (const owner of [one, two]) board.put(board.reconciled(owner, status("Ready")));
  board.remove(two);
  assert.equal(await board.value('preview_environments_reconcile_total{pr_number="7"}'), 2);
  board.remove(one);
  assert.equal(await board.value('preview_environments_reconcile_total{pr_number="7"}'), undefined);
});

Deno.test("a branch that an environment had before goes, too", async () => {
  const board = new Board();
  board.put(board.reconciled(numbered(7, "old"), status("Ready")));
  board.put(numbered(7, "new"));
  board.remove(numbered(7, "new"));
  assert.doesNotMatch(await board.text(), /branch_name=/);
});

Deno.test("an environment that comes again is counted from the start", async () => {
  const board = new Board();
  board.put(board.reconciled(numbered(7), status("Ready")));
  board.remove(numbered(7));
  board.put(board.reconciled(numbered(7), status("Provisioning")));
  assert.equal(await board.value('preview_environments_created_total{branch_name="feature/7"}'), 1);
});

Deno.test("without labels of pull requests everything is counted together", async () => {
  const board = new Board(false);
  for (const pr of [7, 8]) board.put(board.reconciled(numbered(pr), status("Ready")));
  board.remove(numbered(7));
  const values = await board.values();
  assert.equal(values.preview_environments_created_total, 2);
  assert.equal(values.preview_environments_reconcile_total, 2);
  assert.doesNotMatch(await board.text(), /pr_number=|branch_name=/);
});

Deno.test("a branch name of any kind is a label", async () => {
  const board = new Board();
  const branch = 'a"b\\c\nd é 😀 {x="y"}';
  const owner: KubeObject = numbered(7, branch);
  board.put(board.reconciled(owner as PreviewEnvironment, status("Ready")));
  assert.match(await board.text(), /branch_name="a\\"b\\\\c\\nd é 😀 \{x=\\"y\\"\}"\} 1/);
  board.remove(owner as PreviewEnvironment);
  assert.doesNotMatch(await board.text(), /branch_name=/);
});
