/** Two DatabaseMigrations of one database, in two namespaces: never both at once. */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { leaseName } from "../../lib/migration/database.ts";
import { MigrationLab, type MigrationText } from "../migrations/lab.ts";

const TEAMS = ["left", "right"];
const ROUNDS = 3;

/** Versions of one team in one round, each of which takes a while; what it does can be told from the server's log. */
function versionsOf(team: string, round: number): MigrationText[] {
  return [1, 2].map((part) => {
    const version = `${round}.${TEAMS.indexOf(team) + 1}.${part}`;
    return { version, sql: `INSERT INTO work VALUES ('${team}', '${version}'); SELECT pg_sleep(0.3);` };
  });
}

interface Span {
  team: string;
  from: number;
  to: number;
}

/** From the server's own log: of each session, whose work it did, from its first to its last statement. */
function spansIn(log: string): Span[] {
  const spans = new Map<string, Span>();
  for (const line of log.split("\n")) {
    const [, time, pid, rest = ""] = /^([-0-9]+ [0-9:.]+) UTC (\d+) (.*)$/.exec(line) ?? [];
    if (!time || !pid) continue;
    const at = Date.parse(`${time.replace(" ", "T")}Z`);
    const team = /INSERT INTO work VALUES \('(\w+)'/.exec(rest)?.[1];
    const span = spans.get(pid);
    if (span) Object.assign(span, { to: at, team: span.team || team || "" });
    else spans.set(pid, { team: team ?? "", from: at, to: at });
  }
  return [...spans.values()].filter(({ team }) => team !== "");
}

Deno.test("one database is changed by one at a time, whoever asks from wherever", async (t) => {
  await using lab = await MigrationLab.open();
  await lab.database("work");
  await lab.server.query("work", "create table work (team text, version text)");
  for (const team of TEAMS) await lab.team(team);
  const object = (team: string, round: number): KubeObject => {
    const all = Array.from({ length: round }, (_, at) => versionsOf(team, at + 1)).flat();
    return lab.migration("work", all, { allowOutOfOrder: true }, { namespace: team });
  };

  await t.step("both come to their end, one after the other", async () => {
    for (let round = 1; round <= ROUNDS; round++) {
      await Promise.all(TEAMS.map((team) => lab.apply(object(team, round))));
      await Promise.all(TEAMS.map((team) => lab.until("work", "Completed", team)));
    }
    const rows = await lab.server.query("work", "select count(*), count(distinct version) from work");
    assert.deepEqual(rows, [[String(ROUNDS * 4), String(ROUNDS * 4)]]);
  });

  await t.step("the database's own log shows no overlap", async () => {
    const spans = spansIn(await lab.server.log()).sort((a, b) => a.from - b.from);
    assert.equal(spans.length, ROUNDS * 2);
    for (const [at, span] of spans.entries()) {
      const next = spans[at + 1];
      assert.ok(!next || next.from > span.to, `${span.team} until ${span.to}, ${next?.team} from ${next?.from}`);
    }
  });

  await t.step("a holder that is gone without a trace is found out", async () => {
    const gone = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        name: leaseName({ ...object("left", 1).spec.database, engine: "postgres" }, "left"),
        namespace: "maquette-system",
        labels: { "app.kubernetes.io/managed-by": "maquette", "maquette.dev/owner-uid": "gone" },
        annotations: { "maquette.dev/owner": "DatabaseMigration.portfolio.example.com/left/gone" },
      },
      spec: { holderIdentity: "gone" },
    };
    await lab.terminal.create(gone);
    await lab.apply(object("left", ROUNDS + 1));
    await lab.until("work", "Completed", "left");
  });
});
