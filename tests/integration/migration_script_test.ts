/** What a run makes of a tool that does not come to its end, with a tool that is a script here. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { digestOfFiles } from "../../lib/migration/files.ts";
import { FLYWAY_MIGRATE, LIQUIBASE_MIGRATE, TRY_AGAIN } from "../../lib/migration/scripts.ts";

const SCRIPTS = { flyway: FLYWAY_MIGRATE, liquibase: LIQUIBASE_MIGRATE };
/** Nothing is applied yet; `"$@"` has the order that is given to the tool. */
const TOOL = `#!/bin/sh
case "$*" in
  *migrate* | *update*) ENDING ;;
  *info*) echo '{}' ;;
esac
`;
const FILES = { versions: "1\n" };
const VARIABLES = { TARGET: "1", HELD: "", OUT_OF_ORDER: "false", MARKS: "", DIGEST: digestOfFiles(FILES) };

/** Runs a script whose tool ends its work like that. @returns Exit code and termination message. */
async function ended(name: keyof typeof SCRIPTS, ending: string): Promise<{ code: number; report: string }> {
  const folder = await Deno.makeTempDir({ prefix: "maquette-migration-" });
  try {
    const REPORT = join(folder, "report");
    await Deno.writeTextFile(join(folder, name), TOOL.replace("ENDING", () => ending), { mode: 0o755 });
    await Deno.mkdir(join(folder, "files"));
    await Deno.writeTextFile(join(folder, "files", "versions"), FILES.versions);
    const PATH = `${folder}:${Deno.env.get("PATH")}`;
    const env = { ...VARIABLES, PATH, REPORT, FILES: join(folder, "files"), WORK: folder };
    const { code } = await new Deno.Command("sh", { args: ["-c", SCRIPTS[name]], env }).output();
    return { code, report: await Deno.readTextFile(REPORT) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const name of ["flyway", "liquibase"] as const) {
  Deno.test(`${name} is tried again when it was killed, and the report says that it was`, async () => {
    const { code, report } = await ended(name, "kill -9 $$");
    assert.equal(code, TRY_AGAIN);
    assert.match(report, /^error\nThe tool was killed: it may have too little memory$/m);
  });

  Deno.test(`${name} is not tried again after an error of its own`, async () => {
    const { code, report } = await ended(name, "echo 'ERROR: no'; exit 1");
    assert.equal(code, 1);
    assert.doesNotMatch(report, /killed/);
  });
}
