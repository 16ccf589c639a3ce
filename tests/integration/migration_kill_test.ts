/**
 * DatabaseMigrations whose operator, Job or database is killed at random moments of a run: nothing is applied twice or
 * half. `MIGRATION_KILLS` says how many moments, `MIGRATION_SEED` which.
 */
import assert from "node:assert/strict";
import { MigrationLab, type MigrationText, TEAM } from "../migrations/lab.ts";
import { waitFor } from "../wait.ts";

const KILLS = Number(Deno.env.get("MIGRATION_KILLS") ?? 4);
const SEED = Number(Deno.env.get("MIGRATION_SEED") ?? 20261121);
/** A Pod that is evicted goes as from a node that is drained. */
const VICTIMS = ["operator", "Job", "database", "Pod"] as const;
const TOOLS = ["flyway", "liquibase"] as const;

/** Each would leave a trace if it ran twice, or in part. */
const FIVE: MigrationText[] = [1, 2, 3, 4, 5].map((version) => ({
  version: String(version),
  sql: `UPDATE counter SET n = n + 1;
CREATE TABLE t${version} (i int);
SELECT pg_sleep(0.15);
INSERT INTO step (version) VALUES (${version});`,
}));

interface Moment {
  tool: (typeof TOOLS)[number];
  victim: (typeof VICTIMS)[number];
  /** Versions that are applied before. */
  applied: number;
  /** Seconds after that. */
  seconds: number;
}

/** Park and Miller: the same seed gives the same moments. */
function* moments(seed: number): Generator<Moment> {
  let state = seed % 2_147_483_647;
  const below = (limit: number): number => {
    state = state * 16_807 % 2_147_483_647;
    return state % limit;
  };
  for (let round = 0;; round++) {
    const [applied, seconds] = [below(6), below(400) / 1000];
    // Each victim with either tool, in eight rounds.
    const tool = TOOLS[(round + (round >> 2)) % 2]!;
    yield { tool, victim: VICTIMS[round % VICTIMS.length]!, applied, seconds };
  }
}

async function kill(lab: MigrationLab, victim: Moment["victim"], name: string): Promise<void> {
  if (victim === "operator") {
    await lab.operator.stop("SIGKILL");
    await lab.operator.start();
  } else if (victim === "database") {
    await lab.server.kill();
    await lab.server.restart();
  } else {
    await endPods(lab, victim, name);
  }
}

async function endPods(lab: MigrationLab, victim: Moment["victim"], name: string): Promise<void> {
  const pods = await lab.terminal.list("pods", "-n", TEAM, "-l", `app.kubernetes.io/instance=${name}`);
  for (const { metadata } of pods.filter(({ status }) => status.phase === "Running")) {
    if (victim === "Job") lab.runner.kill(metadata.uid!);
    else {
      const path = `/api/v1/namespaces/${TEAM}/pods/${metadata.name}/eviction`;
      const eviction = {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name: metadata.name, namespace: TEAM },
      };
      await lab.plane.kubectl(["create", "--raw", path, "-f", "-"], { stdin: JSON.stringify(eviction) });
    }
  }
}

Deno.test(`whatever is killed at ${KILLS} moments of a run, nothing is applied twice or half`, async (t) => {
  await using lab = await MigrationLab.open();
  let round = 0;
  for (const { tool, victim, applied, seconds } of moments(SEED)) {
    if (++round > KILLS) break;
    const name = `kill${round}`;
    await t.step(`${round}: ${victim}, ${seconds} s after version ${applied}, with ${tool}`, async () => {
      await lab.database(name);
      await lab.server.query(
        name,
        "create table counter (n int); insert into counter values (0); create table step (version int)",
      );
      await lab.apply(lab.migration(name, FIVE, { tool }));
      await waitFor("the run to be so far", async () => {
        if (lab.runner.runs.some(({ job, exitCode }) => job.startsWith(`${name}-`) && exitCode !== undefined)) {
          return true;
        }
        const isRunning = lab.runner.runs.some(({ job }) => job.startsWith(`${name}-`));
        return isRunning && Number((await lab.server.query(name, "select count(*) from step"))[0]![0]) >= applied;
      }, 120_000);
      await lab.server.query("postgres", `select pg_sleep(${seconds})`);
      await kill(lab, victim, name);
      const { status } = await lab.until(name, "Completed");
      assert.equal(status.currentVersion, "5");
      assert.deepEqual(status.appliedMigrations.map(({ version }: MigrationText) => version), [
        "1",
        "2",
        "3",
        "4",
        "5",
      ]);
      assert.deepEqual(await lab.server.query(name, "select version from step order by version"), [
        ["1"],
        ["2"],
        ["3"],
        ["4"],
        ["5"],
      ]);
      assert.deepEqual(await lab.server.query(name, "select n from counter"), [["5"]]);
      const rows = (await lab.history(name, tool)).map((row) => row.split(" ")[0]);
      // A database that is not empty begins with a baseline.
      assert.deepEqual(rows.filter((version) => version !== "0"), ["1", "2", "3", "4", "5"]);
    });
  }
});
