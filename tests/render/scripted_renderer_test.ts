import assert from "node:assert/strict";
import { systemClock } from "../../lib/runtime/clock.ts";
import { FakeClock } from "../../lib/runtime/fake_clock.ts";
import { ProcessRenderer } from "../../lib/render/process_renderer.ts";
import { RenderError } from "../../lib/render/render_error.ts";
import type { RenderRequest } from "../../lib/render/renderer.ts";
import { ScriptedProgram } from "./scripted_program.ts";

const REQUEST: RenderRequest = { type: "manifest", root: "/checkout", path: "app" };
const NOTHING = '{"objects":[],"hooks":[],"refused":[],"warnings":[],"injected":[]}';
const FETCHED = '{"commit":"c","path":"/p","cached":true,"files":1,"bytes":2,"warnings":[]}';

async function failureOf(work: Promise<unknown>): Promise<RenderError> {
  const error = await work.then(() => undefined, (reason) => reason);
  assert.ok(error instanceof RenderError, `no RenderError: ${error}`);
  return error;
}

const FAILURES: Record<string, [script: string, reason: string, message: RegExp, isTemporary: boolean]> = {
  "a failure of the program's own is passed on": [
    `echo '{"error":{"reason":"LookupRefused","message":"a.yaml:3: no","file":"a.yaml","line":3}}'; exit 1`,
    "LookupRefused",
    /^a\.yaml:3: no$/,
    false,
  ],
  "a failure that may pass says so": [
    `echo '{"error":{"reason":"HostUnreachable","message":"away"}}'; exit 1`,
    "HostUnreachable",
    /away/,
    true,
  ],
  "a crash": ["echo 'panic: broken' >&2; exit 2", "RendererCrashed", /status 2 .* answer: panic: broken$/, true],
  "a crash without a word": ["kill -SEGV $$", "RendererCrashed", /status 139 and without an answer$/, true],
  "a killed process": ["kill -KILL $$", "MemoryExceeded", /ended/, true],
  "the Go runtime out of memory": [
    "echo 'fatal error: runtime: out of memory' >&2; exit 2",
    "MemoryExceeded",
    /memory/,
    true,
  ],
  "success without an answer": ["exit 0", "RendererGarbage", /no answer to "manifest"/, true],
  "garbage": ["head -c 1000 /dev/urandom", "RendererGarbage", /no answer/, true],
  "JSON that is no answer": [`echo '{"objects":{}}'`, "RendererGarbage", /objects: /, true],
  "an object that is none": [
    `echo '${NOTHING.replace("[]", '[{"source":"a","object":{"kind":"Pod"}}]')}'`,
    "RendererGarbage",
    /objects\.0\.object: Must be a Kubernetes object/,
    true,
  ],
  "100 MB of output": ["head -c 100000000 /dev/zero", "OutputTooLarge", /more than the limit/, false],
};

for (const [name, [script, reason, message, isTemporary]] of Object.entries(FAILURES)) {
  Deno.test(`${name} is an error with a reason`, async () => {
    await using program = await ScriptedProgram.make(script);
    const error = await failureOf(new ProcessRenderer({ path: program.path, clock: systemClock }).render(REQUEST));
    assert.deepEqual([error.reason, error.isTemporary], [reason, isTemporary]);
    assert.match(error.message, message);
  });
}

Deno.test("the place of a failure is passed on", async () => {
  await using program = await ScriptedProgram.make(FAILURES["a failure of the program's own is passed on"]![0]);
  const error = await failureOf(new ProcessRenderer({ path: program.path, clock: systemClock }).render(REQUEST));
  assert.deepEqual(error.place, { file: "a.yaml", line: 3 });
});

Deno.test("a program that is missing is an error with a reason", async () => {
  const renderer = new ProcessRenderer({ path: "/nowhere/program", clock: systemClock });
  const error = await failureOf(renderer.render(REQUEST));
  assert.equal(error.reason, "RendererMissing");
  assert.match(error.message, /"\/nowhere\/program" cannot be started/);
});

Deno.test("a program that hangs is ended some seconds after its own limit", async () => {
  await using program = await ScriptedProgram.make("exec sleep 600");
  const clock = new FakeClock();
  const work = failureOf(
    new ProcessRenderer({ path: program.path, clock }).render({ ...REQUEST, limits: { seconds: 2 } }),
  );
  await clock.advance(17_000);
  const error = await work;
  assert.equal(error.reason, "TimeExceeded");
  assert.equal(clock.pending, 0);
});

Deno.test("the command is the type, and the request is the rest", async () => {
  await using program = await ScriptedProgram.make(
    `cat > "$(dirname "$0")/$1"; [ $1 = fetch ] && echo '${FETCHED}' || echo '${NOTHING}'`,
  );
  const renderer = new ProcessRenderer({ path: program.path, clock: systemClock });
  assert.deepEqual(await renderer.render(REQUEST), JSON.parse(NOTHING));
  const source = { repositoryUrl: "https://git.example.com/a.git", ref: { branch: "main" }, cacheDir: "/cache" };
  assert.deepEqual(await renderer.fetch(source), JSON.parse(FETCHED));
  assert.deepEqual(JSON.parse(await Deno.readTextFile(`${program.folder}/manifest`)), {
    root: "/checkout",
    path: "app",
  });
  assert.deepEqual(JSON.parse(await Deno.readTextFile(`${program.folder}/fetch`)), source);
});

Deno.test("renderings beyond the bound wait, and one that is not wanted any more never starts", async () => {
  await using program = await ScriptedProgram.make(
    `cd "$(dirname "$0")"; echo start >> log; while [ ! -e go ]; do :; done; echo end >> log; echo '${NOTHING}'`,
  );
  const renderer = new ProcessRenderer({ path: program.path, clock: systemClock, renderings: 1 });
  const abort = new AbortController();
  const [first, unwanted, last] = [
    renderer.render(REQUEST),
    failureOf(renderer.render(REQUEST, { signal: abort.signal })),
    renderer.render(REQUEST),
  ];
  abort.abort();
  assert.equal((await unwanted).reason, "Aborted");
  await Deno.writeTextFile(`${program.folder}/go`, "");
  await Promise.all([first, last]);
  assert.equal(await Deno.readTextFile(`${program.folder}/log`), "start\nend\nstart\nend\n");
});

/** Fetches of which those from hosts called `hang…` end when a file is there. */
async function hanging(fetches?: number): Promise<{
  program: ScriptedProgram;
  from: (host: string) => Promise<unknown>;
}> {
  const program = await ScriptedProgram.make(
    `cd "$(dirname "$0")"; case "$(cat)" in *[hH][aA][nN][gG]*) while [ ! -e go ]; do :; done;; esac
    echo '${FETCHED}'`,
  );
  const renderer = new ProcessRenderer({ path: program.path, clock: systemClock, fetches });
  const from = (host: string): Promise<unknown> =>
    renderer.fetch({ repositoryUrl: `https://${host}/a.git`, ref: {}, cacheDir: "/cache" });
  return { program, from };
}

Deno.test("fetches from a host that hangs leave places for others", async () => {
  const { program: opened, from } = await hanging(3);
  await using program = opened;
  const waiting = ["hanging.example.com", "hanging.example.com:8443", "HANGING.example.com"].map(from);
  for (const host of ["a.example.com", "b.example.com"]) assert.deepEqual(await from(host), JSON.parse(FETCHED));
  await Deno.writeTextFile(`${program.folder}/go`, "");
  await Promise.all(waiting);
});

Deno.test("fetches from many hosts that hang leave a place for one that has answered", async () => {
  const { program: opened, from } = await hanging();
  await using program = opened;
  await from("good.example.com");
  const waiting = ["hang-a", "hang-b", "hang-c", "hang-d", "hang-e"].map((name) => from(`${name}.example.com`));
  for (let round = 0; round < 3; round++) assert.deepEqual(await from("good.example.com"), JSON.parse(FETCHED));
  await Deno.writeTextFile(`${program.folder}/go`, "");
  await Promise.all(waiting);
});
