/**
 * Applications and their databases on a real node: migrations in images like the tools' own, releases that change the
 * schema while customers write and read, and data that outlive their application.
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { app, TEAM } from "../integration/apps.ts";
import { condition } from "../integration/previews.ts";
import { waitFor } from "../wait.ts";
import { Applications, ARCHIVES, RESTRICTED } from "./applications.ts";
import { ask } from "./ask.ts";
import { Cluster, DOMAIN, NAMESPACE } from "./cluster.ts";
import { loadApplications, SHOP } from "./images.ts";
import { TOOL_FLAGS } from "./migration_images.ts";
import { BAD_LABEL, DROP_LEGACY, FIVE, ITEMS, LABEL, PERSONS } from "./schemas.ts";
import { isEndToEnd, settings } from "./settings.ts";
import { Shoppers } from "./shoppers.ts";
import { Transcript } from "./transcript.ts";

const TOOLS = ["flyway", "liquibase"];
const AT_ONCE = ["--grace-period=0", "--force"];
/** Without a program for it. */
const KILL_JAVA = 'for p in /proc/[0-9]*; do case $(readlink "$p/exe") in *java) kill -9 "${p#/proc/}";; esac; done';
const SHOP_URL = `http://shop.${DOMAIN}`;
const CHECKSUM = "select count(*), md5(string_agg(id || label, ',' order by id)) from items";
const FILE = "lines\n\n$(id) 🖨 \\ end";

Deno.test({ name: "applications and their databases on a real node", ignore: !isEndToEnd }, async (t) => {
  const { postgresImage, javaRoot } = settings();
  await using cluster = await Cluster.prepare([`--backup-image=${postgresImage}`, ...(javaRoot ? TOOL_FLAGS : [])]);
  await loadApplications(cluster.settings);
  await using lab = await Applications.open(cluster);
  const { terminal } = lab;
  const { plane } = cluster;
  const transcript = new Transcript();
  transcript.section("Applications and their databases");
  const quote = async (command: string, note = ""): Promise<void> =>
    transcript.quote(command + note, (await plane.kubectl(command.split(" ").slice(1))).stdout);
  const store = (path: string): unknown => ({ pvc: { claimName: ARCHIVES, path } });
  const shop = (version: string): KubeObject =>
    app("shop", {
      ...{ image: SHOP, version, replicas: 2, migrationRef: { name: "shop" } },
      env: { DATABASE_URL: lab.addressOf("shop") },
      ingress: { enabled: true, host: `shop.${DOMAIN}` },
      backup: { tool: "pg_dump", database: lab.database("shop", "backups"), destination: store("shop") },
    });

  await t.step(
    "migrations run as restricted Pods; one that fails says version, line and the database's words",
    async () => {
      await Promise.all(TOOLS.map(async (tool) => {
        await lab.makeDatabase(tool);
        await lab.migrate(tool, PERSONS.failing, { tool, namespace: RESTRICTED });
      }));
      for (const tool of TOOLS) {
        const failed = await lab.untilMigration(tool, "Failed", RESTRICTED);
        assert.match(
          condition(failed, "Ready")!.message,
          /^Version "2.0" failed at line 3: ERROR: relation "nobody" does/,
        );
        assert.deepEqual(await lab.history(tool, tool), ["1", "1.9", "1.10"]);
      }
      await quote(`kubectl get dbm -n ${RESTRICTED}`);
      transcript.quote(
        "condition Ready of dbm/liquibase",
        condition(await terminal.get("dbm", "liquibase", RESTRICTED), "Ready")!.message,
      );
      await Promise.all(TOOLS.map((tool) => lab.migrate(tool, PERSONS.mended, { tool, namespace: RESTRICTED })));
      for (const tool of TOOLS) {
        await lab.untilMigration(tool, "Completed", RESTRICTED);
        assert.deepEqual(await lab.history(tool, tool), ["1", "1.9", "1.10", "2.0"]);
        assert.deepEqual(await lab.query(tool, "select name, email from person order by id"), ["first|", "second|"]);
      }
      await quote(`kubectl get dbm -n ${RESTRICTED}`, ", mended");
    },
  );

  await t.step(
    "in the middle of five versions tool, Pod and operator are killed, and each is applied once",
    async () => {
      const names = TOOLS.map((tool) => `killed-${tool}`);
      for (const [index, name] of names.entries()) {
        await lab.makeDatabase(name);
        await lab.migrate(name, FIVE, { tool: TOOLS[index], namespace: RESTRICTED });
      }
      const kills = [
        (pod: string) => plane.kubectl(["exec", "-n", RESTRICTED, pod, "--", "sh", "-c", KILL_JAVA]),
        (pod: string) => plane.kubectl(["delete", "pod", "-n", RESTRICTED, pod, ...AT_ONCE]),
      ];
      const killed = await Promise.all(names.map(async (name, index) => {
        const isHalfWay = async (): Promise<boolean> => (await lab.query(name, "select version from run")).length > 1;
        await waitFor(`two versions in ${name}`, isHalfWay, 120_000);
        const [pod] = await lab.podsOf(name);
        await kills[index]!(pod!);
        return pod;
      }));
      await plane.kubectl(["delete", "pod", "-n", NAMESPACE, ...await cluster.pods(), ...AT_ONCE]);
      for (const [index, name] of names.entries()) {
        await lab.untilMigration(name, "Completed", RESTRICTED);
        const rows = await lab.query(name, "select version from run order by version");
        assert.deepEqual(rows, ["1", "2", "3", "4", "5"]);
        assert.deepEqual(await lab.history(name, TOOLS[index]!), rows);
        const last = (await lab.podsOf(name)).at(-1);
        assert.ok(last !== undefined && last !== killed[index], `${last} went on`);
      }
      await quote(`kubectl get dbm -n ${RESTRICTED}`, " after Flyway, Liquibase's Pod and the operator were killed");
      transcript.say("Their histories and a table that each version writes to have all five, each once");
    },
  );

  await lab.makeDatabase("shop");
  await terminal.create(lab.login("backups", TEAM, "wrong"));
  let archive = "";

  await t.step("an application starts when its schema is there", async () => {
    await lab.migrate("shop", ITEMS);
    await terminal.create(shop("v1"));
    await terminal.untilAppPhase("shop", "Running");
    const none = await cluster.untilAnswers(`${SHOP_URL}/items/1`, ({ status }) => status === 500);
    assert.match(none.text, /no rows/);
    const answer = await ask(`${SHOP_URL}/items`, { settings: cluster.settings, body: "the first" });
    assert.deepEqual([answer.status, answer.text], [200, "v1 1"]);
    await quote(`kubectl get papp,dbm -n ${TEAM}`);
  });

  await t.step("a column is renamed under load: it fails first, is mended, rolls, and the old one goes", async () => {
    await using shoppers = new Shoppers(SHOP_URL, cluster.settings);
    await lab.migrate("shop", [...ITEMS, ...BAD_LABEL]);
    await terminal.apply(shop("v2"));
    const failed = await terminal.untilAppReason("shop", "MigrationFailed");
    const { message } = condition(failed, "Ready")!;
    assert.match(message, /Version "2" failed at line 2: ERROR: column "nmae" does not exist.*keeps serving$/s);
    assert.equal((await cluster.ask(`${SHOP_URL}/items/1`)).text, "v1 the first");
    await quote(`kubectl get papp,dbm -n ${TEAM}`, " after a migration with a mistake");
    transcript.quote("condition Ready of papp/shop", message);
    await lab.migrate("shop", [...ITEMS, ...LABEL]);
    await terminal.untilAppPhase("shop", "Running");
    await lab.untilMigration("shop", "Completed");
    assert.deepEqual(await columnsOfItems(lab), ["id", "label"]);
    await waitFor("more answers of the new version", () => shoppers.answered.v2! > 100);
    await shoppers[Symbol.asyncDispose]();
    assert.deepEqual(shoppers.failures, []);
    const rows = await lab.query("shop", "select id, label from items where id > 1 order by id");
    const written = [...shoppers.written].sort(([a], [b]) => a - b).map(([id, text]) => `${id}|${text}`);
    assert.deepEqual(rows, written);
    await quote(`kubectl get papp,dbm -n ${TEAM}`, " after the mistake was mended");
    const { v1, v2 } = shoppers.answered;
    transcript.say(
      `Meanwhile ${v1} requests were answered by v1, ${v2} by v2, 0 failed; ${rows.length} rows, none lost`,
    );
  });

  await t.step("a rollout that fails does not reach what comes after it, and the version before answers", async () => {
    await using shoppers = new Shoppers(SHOP_URL, cluster.settings);
    await lab.migrate("shop", [...ITEMS, ...LABEL, DROP_LEGACY]);
    await terminal.apply(shop("v3"));
    // A container that was just begun anew has said nothing yet.
    const isTold = (owner: KubeObject): boolean =>
      owner.status.phase === "Failed" && /column "colour" does not exist/.test(condition(owner, "Ready")!.message);
    const { message } = condition(await terminal.untilApp("shop", "to say why", isTold), "Ready")!;
    assert.equal((await cluster.ask(`${SHOP_URL}/items/1`)).text, "v2 the first");
    assert.deepEqual(await lab.history("shop", "flyway"), ["1", "2", "3", "4"]);
    await quote(`kubectl get papp,dbm -n ${TEAM}`, " after a version that does not start");
    transcript.quote("condition Ready of papp/shop", message);
    await terminal.apply(shop("v2"));
    await terminal.untilAppPhase("shop", "Running");
    const pending = await waitFor(
      "what waits to be told",
      async () => condition(await terminal.app("shop"), "ContractPending")?.message,
    );
    assert.deepEqual(await lab.history("shop", "flyway"), ["1", "2", "3", "4"]);
    const [, approval] = /"(maquette\.dev\/contract-approved=[^"]+)"/.exec(pending)!;
    await plane.kubectl(["annotate", "dbm", "shop", "-n", TEAM, "--overwrite", approval!]);
    await lab.untilMigration("shop", "Completed");
    assert.deepEqual(await lab.history("shop", "flyway"), ["1", "2", "3", "4", "5"]);
    transcript.quote("condition ContractPending of papp/shop after the way back", pending);
    await shoppers[Symbol.asyncDispose]();
    assert.deepEqual(shoppers.failures, []);
  });

  await t.step("deleted, it leaves traffic, drains, and waits for a backup with a login that works", async () => {
    await terminal.remove("papp", "shop", TEAM, "--wait=false");
    const reasons: string[] = [];
    const isAt = async (reason: string): Promise<boolean> => {
      const seen = condition(await terminal.app("shop"), "Ready")?.reason ?? "Gone";
      if (reasons.at(-1) !== seen) reasons.push(seen);
      return seen === reason;
    };
    await waitFor("the backup to fail", () => isAt("BackupFailed"), 60_000);
    const { message } = condition(await terminal.app("shop"), "Ready")!;
    assert.match(message, /Nothing is deleted before .*password authentication failed for user "postgres"/s);
    transcript.quote("condition Ready of papp/shop after kubectl delete", message);
    assert.deepEqual(await terminal.list("services,ingresses", "-n", TEAM), []);
    assert.equal((await terminal.child("deployment", "shop-deployment"))!.status.replicas ?? 0, 0);
    await terminal.patch("secret", "backups", { stringData: { password: lab.password } }, TEAM);
    await waitFor("the application to be gone", () => isAt("Gone"), 60_000);
    // What is over within a look may be missed.
    const steps =
      "(Ready )?(StoppingTraffic )?Draining (BackingUp )?BackupFailed (BackingUp )?(Saved )?(Deleting )?Gone";
    assert.match(reasons.join(" "), new RegExp(`^${steps}$`));
    const told = (await lab.events("shop")).find((text) => text.startsWith("SavedBeforeDeletion"))!;
    archive = /(team\.shop-\d{8}T\d{6}Z\.dump)/.exec(told)![1]!;
    transcript.say(`Reasons of its condition Ready until it was gone: ${reasons.slice(0, -1).join(", ")}`);
    transcript.quote("kubectl get events", told);
  });

  await t.step("a new application gets the rows back before it starts", async () => {
    await lab.makeDatabase("again");
    const restoreFrom = { archive, tool: "pg_dump", source: store("shop"), database: lab.database("again") };
    await terminal.create(
      serving("again", { version: "v2", env: { DATABASE_URL: lab.addressOf("again") }, restoreFrom }),
    );
    await terminal.untilAppPhase("again", "Running");
    const answer = await cluster.untilAnswers(`http://again.${DOMAIN}/items/1`, ({ status }) => status === 200);
    assert.equal(answer.text, "v2 the first");
    const [was, is] = await Promise.all(["shop", "again"].map((name) => lab.query(name, CHECKSUM)));
    assert.deepEqual(is, was);
    transcript.say(`Restored from ${archive}: rows and their checksum as before, ${is!.join()}`);
  });

  await t.step("a volume is saved with its application, and comes back with another", async () => {
    const storage = { size: "1Gi" };
    const backup = { tool: "volume", destination: store("files") };
    await terminal.create(serving("files", { version: "v1", storage, backup }));
    await terminal.untilAppPhase("files", "Running");
    const put = { settings: cluster.settings, method: "PUT", body: FILE };
    const answer = await cluster.untilAnswers(`http://files.${DOMAIN}/files/none`, ({ status }) => status === 500);
    assert.match(answer.text, /no such file/);
    assert.equal((await ask(`http://files.${DOMAIN}/files/a.txt`, put)).status, 200);
    await terminal.remove("papp", "files", TEAM, "--timeout=300s");
    const told = (await lab.events("files")).find((text) => text.startsWith("SavedBeforeDeletion"))!;
    assert.equal(await terminal.child("pvc", "files-data"), undefined);
    const [, name] = /(team\.files-\d{8}T\d{6}Z\.tar\.gz)/.exec(told)!;
    const restoreFrom = { archive: name, tool: "volume", source: store("files") };
    await terminal.create(serving("files-again", { version: "v1", storage, restoreFrom }));
    await terminal.untilAppPhase("files-again", "Running");
    const back = await cluster.untilAnswers(`http://files-again.${DOMAIN}/files/a.txt`, ({ status }) => status === 200);
    assert.equal(back.text, `v1 ${FILE}`);
    transcript.quote("kubectl get events", told);
    await quote(`kubectl get papp -n ${TEAM}`, ", brought back");
  });
});

function serving(name: string, spec: Record<string, unknown>): KubeObject {
  return app(name, { image: SHOP, ingress: { enabled: true, host: `${name}.${DOMAIN}` }, ...spec });
}

async function columnsOfItems(lab: Applications): Promise<string[]> {
  const sql = "select column_name from information_schema.columns where table_name = 'items' order by 1";
  return await lab.query("shop", sql);
}
