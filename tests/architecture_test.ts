/**
 * The floor plan of ARCHITECTURE.md as a test: who may import whom, and what may stand where. Each failure says what to
 * do instead.
 */
import assert from "node:assert/strict";

const ROOT = new URL("..", import.meta.url);

interface Import {
  /** Path from the root, for our own files; else the name as it stands. */
  target: string;
  isTypeOnly: boolean;
}

interface Source {
  path: string;
  /** Without comments. */
  code: string;
  imports: Import[];
}

/** Parts of the code, from the bottom up, and which other parts they may import. The longest prefix is a file's part. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  "lib/api/": [],
  "lib/naming.ts": [],
  "lib/network.ts": [],
  "lib/version.ts": [],
  "lib/body_reader.ts": [],
  "lib/preview_names.ts": ["lib/naming.ts"],
  "lib/portfolio_names.ts": ["lib/naming.ts"],
  "lib/environment_names.ts": ["lib/api/", "lib/naming.ts"],
  "lib/hosts.ts": ["lib/api/", "lib/preview_names.ts", "lib/portfolio_names.ts", "lib/environment_names.ts"],
  "lib/lifetime.ts": ["lib/api/"],
  "lib/image/": ["lib/api/"],
  "lib/registry/": ["lib/image/", "lib/runtime/clock.ts"],
  "lib/kube/": ["lib/api/", "lib/body_reader.ts"],
  "lib/workload/": ["lib/api/", "lib/kube/"],
  "lib/build/": ["lib/api/", "lib/image/", "lib/registry/", "lib/workload/"],
  "lib/render/": ["lib/api/", "lib/image/", "lib/runtime/clock.ts", "lib/runtime/gate.ts"],
  "lib/git/": ["lib/api/"],
  "lib/runtime/": ["lib/api/", "lib/kube/", "lib/naming.ts"],
  "lib/migration/": ["lib/api/", "lib/naming.ts", "lib/runtime/", "lib/workload/literal.ts"],
  "lib/deploy/": ["lib/api/", "lib/kube/", "lib/runtime/", "lib/workload/"],
  "lib/option_values.ts": ["lib/registry/", "lib/image/", "lib/naming.ts", "lib/network.ts"],
  "lib/options.ts": ["lib/option_values.ts", "lib/runtime/log.ts"],
  "lib/config.ts": ["lib/options.ts"],
  "lib/controllers/": [
    ...["lib/api/", "lib/kube/", "lib/runtime/", "lib/workload/", "lib/naming.ts", "lib/network.ts"],
    ...[
      "lib/preview_names.ts",
      "lib/portfolio_names.ts",
      "lib/environment_names.ts",
      "lib/lifetime.ts",
      "lib/hosts.ts",
    ],
    ...["lib/image/", "lib/registry/", "lib/build/", "lib/render/", "lib/git/", "lib/deploy/", "lib/migration/"],
  ],
  "crds/": ["lib/api/"],
  "webhook/": [
    ...["lib/api/", "lib/naming.ts", "lib/preview_names.ts", "lib/environment_names.ts", "lib/image/", "lib/registry/"],
    ...["lib/portfolio_names.ts", "lib/body_reader.ts", "lib/runtime/clock.ts", "lib/runtime/log.ts"],
    ...["database.ts", "files.ts", "migration_set.ts", "versions.ts"].map((name) => `lib/migration/${name}`),
  ],
  "cli/": ["lib/", "webhook/", "crds/"],
  "main.ts": ["cli/", "lib/config.ts"],
};

/** Files for tests only: other code must not need them. */
const DOUBLE = /\/(fake|scripted)_\w+\.ts$|\/(status_rules|testing)\.ts$/;
const OWN_FOLDERS = ["lib", "crds", "webhook", "cli"];

async function* files(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(`${folder}/`, ROOT))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* files(path);
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) yield path;
  }
}

async function read(path: string): Promise<Source> {
  const text = await Deno.readTextFile(new URL(path, ROOT));
  return { path, code: withoutComments(text), imports: importsOf(path, text) };
}

async function sources(): Promise<Source[]> {
  const all: Source[] = [await read("main.ts")];
  for (const folder of OWN_FOLDERS) for await (const path of files(folder)) all.push(await read(path));
  return all;
}

/** Close enough: a `//` inside a text cuts a line short, and hides nothing that is looked for here. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}

function importsOf(path: string, text: string): Import[] {
  const statement =
    /^(?:import|export)\s+(type\s)?([^;"']*?)from\s+"([^"]+)"|^import\s+()()"([^"]+)"|\bimport\(()()"([^"]+)"/gm;
  return [...withoutComments(text).matchAll(statement)].map((match) => {
    const [, isType, names = "", from, , , bare, , , dynamic] = match;
    const name = from ?? bare ?? dynamic ?? "";
    const target = name.startsWith(".") ? new URL(name, `file:///${path}`).pathname.slice(1) : name;
    return { target, isTypeOnly: isType !== undefined || areTypes(names) };
  });
}

/** `{ type A, type B }` */
function areTypes(names: string): boolean {
  const list = /^\s*\{([\s\S]*)\}\s*$/.exec(names)?.[1]?.split(",").map((name) => name.trim()).filter(Boolean);
  return list !== undefined && list.length > 0 && list.every((name) => name.startsWith("type "));
}

function partOf(path: string): string | undefined {
  return Object.keys(ARROWS).filter((part) => path.startsWith(part)).sort((a, b) => b.length - a.length)[0];
}

function isOwn(target: string): boolean {
  return target === "main.ts" || OWN_FOLDERS.some((folder) => target.startsWith(`${folder}/`));
}

/** A rule over one file: what is wrong with it, in words. */
type Rule = (source: Source) => string[];

function wrongArrows({ path, imports }: Source): string[] {
  const part = partOf(path);
  if (!part) return [`has no part in the table of arrows: add it, and what it may import`];
  const allowed = [part, ...ARROWS[part]!];
  const isFree = (target: string): boolean => !isOwn(target) || (DOUBLE.test(path) && DOUBLE.test(target));
  return imports.filter(({ target }) => !isFree(target) && !allowed.some((prefix) => target.startsWith(prefix)))
    .map(({ target }) => `imports ${target}`);
}

function otherControllers({ path, imports }: Source): string[] {
  const kind = /^lib\/controllers\/[^/]+\//.exec(path)?.[0];
  if (!kind) return [];
  return imports.filter(({ target }) => target.startsWith("lib/controllers/") && !target.startsWith(kind))
    .map(({ target }) => `imports ${target}`);
}

function clientsInPureFiles({ path, imports }: Source): string[] {
  if (!/^lib\/controllers\/[^/]+\/(gather|checks|desired|decide)\.ts$/.test(path)) return [];
  return imports.filter(({ target, isTypeOnly }) => target.startsWith("lib/kube/") && !isTypeOnly)
    .map(({ target }) => `imports ${target}`);
}

function doublesInProduction({ path, imports }: Source): string[] {
  if (DOUBLE.test(path)) return [];
  return imports.filter(({ target }) => DOUBLE.test(target)).map(({ target }) => `imports ${target}`);
}

function found(pattern: RegExp, source: Source, exceptions: Readonly<Record<string, RegExp>> = {}): string[] {
  const allowed = exceptions[source.path];
  return [...source.code.matchAll(pattern)].map(([text]) => text.trim()).filter((text) => !allowed?.test(text))
    .map((text) => `has "${text.split("\n")[0]}"`);
}

const TIME = /\bDate\.now\b|\bnew Date\(\)|\bsetTimeout\b|\bsetInterval\b|\bperformance\.\w+|\bAbortSignal\.timeout\b/g;
/** The clock itself; and a request's own timeout, which ends with the request and is no part of any decision. */
const TIME_EXCEPTIONS = {
  "lib/runtime/clock.ts": /^(Date\.now|setTimeout|performance\.now)$/,
  "lib/kube/ending.ts": /^setTimeout$/,
};
const CHANCE = /\bMath\.random\b|\bcrypto\.randomUUID\b/g;
const ENVIRONMENT = /\bDeno\.env\b|\bprocess\.env\b/g;
const VARIABLES = /^(?:export )?(?:let|var)\b.*/gm;
const CONTAINERS =
  /^(?:export )?const (?:[^=\n]+= new (?:Weak)?(?:Map|Set)(?:<.*>)?\(\)|\w+: [^=\n]+= (?:\[\]|\{\}));/gm;
const ARROW_FUNCTIONS = /^(?:export )?const \w+(?:: [^=]*)? = (?:async )?(?:\([^()]*\)|\w+)(?:: [^=]+)? =>/gm;
const DEFAULT_EXPORTS = /^export default\b/gm;

const rules: Record<string, [rule: Rule, instead: string]> = {
  "arrows point down only": [
    wrongArrows,
    "hand in what is needed (main.ts wires), or move it to a part that both may import",
  ],
  "controllers do not import each other": [
    otherControllers,
    "let them meet through the API server; what both need belongs into a leaf beside lib/naming.ts",
  ],
  "gather, checks, desired and decide import no client": [
    clientsInPureFiles,
    "take what reads as an argument (GatherDeps); types may be imported with `import type`",
  ],
  "production code needs no double": [
    doublesInProduction,
    "import fakes, scripted servers and status rules from tests only",
  ],
  "only the clock knows the time": [
    (source) => found(TIME, source, TIME_EXCEPTIONS),
    "take a Clock (lib/runtime/clock.ts) and use now(), monotonic(), at() or sleep()",
  ],
  "chance is handed in": [
    (source) => source.path.startsWith("lib/") ? found(CHANCE, source) : [],
    "take `random: () => number` or `unique: () => string`, as Informer and EventRecorder do",
  ],
  "only the configuration reads the environment": [
    (source) => found(ENVIRONMENT, source, { "lib/config.ts": /^Deno\.env$/ }),
    "add an option to lib/options.ts and take the Config",
  ],
  "nothing at module level changes": [
    (source) => [...found(VARIABLES, source), ...found(CONTAINERS, source)],
    "make it a #private field of a class, or an argument",
  ],
  "functions at module level are declared as such": [
    (source) => found(ARROW_FUNCTIONS, source),
    "write `function name(…)`",
  ],
  "nothing is exported as default": [
    (source) => found(DEFAULT_EXPORTS, source),
    "export it by its name",
  ],
};

for (const [name, [rule, instead]] of Object.entries(rules)) {
  Deno.test(`architecture: ${name}`, async () => {
    const problems = (await sources()).flatMap((source) => rule(source).map((problem) => `${source.path} ${problem}`));
    assert.deepEqual(problems, [], `${problems.join("\n")}\nInstead: ${instead}`);
  });
}

/** A file that does not exist. */
function imagined(path: string, text: string): Source {
  return { path, code: withoutComments(text), imports: importsOf(path, text) };
}

const caught: Record<string, [path: string, text: string, rule: keyof typeof rules]> = {
  "an arrow that points up": ["lib/kube/x.ts", 'import { a } from "../runtime/clock.ts";', "arrows point down only"],
  "a type that points up": ["lib/api/x.ts", 'import type { A } from "../kube/client.ts";', "arrows point down only"],
  "an import over several lines": [
    "lib/api/x.ts",
    'import {\n  a,\n  b,\n} from "../naming.ts";',
    "arrows point down only",
  ],
  "an export from above": ["lib/api/x.ts", 'export { a } from "../naming.ts";', "arrows point down only"],
  "an import while it runs": ["lib/api/x.ts", 'const a = await import("../naming.ts");', "arrows point down only"],
  "an import for its effect": ["lib/api/x.ts", 'import "../naming.ts";', "arrows point down only"],
  "a controller in the webhook": [
    "webhook/x.ts",
    'import { a } from "../lib/controllers/printer/mod.ts";',
    "arrows point down only",
  ],
  "a file without a part": ["lib/new/x.ts", "", "arrows point down only"],
  "a controller in another": [
    "lib/controllers/printer/x.ts",
    'import { a } from "../preview_environment/desired.ts";',
    "controllers do not import each other",
  ],
  "a client in a pure file": [
    "lib/controllers/printer/decide.ts",
    'import { type A, KubeClient } from "../../kube/client.ts";',
    "gather, checks, desired and decide import no client",
  ],
  "a double in production": [
    "lib/runtime/x.ts",
    'import { FakeClock } from "./fake_clock.ts";',
    "production code needs no double",
  ],
  "the machine's time": ["lib/runtime/x.ts", "const now = Date.now();", "only the clock knows the time"],
  "the date of today": ["webhook/x.ts", "  const now = new Date();", "only the clock knows the time"],
  "a timer": ["webhook/x.ts", "  setTimeout(f, 5);", "only the clock knows the time"],
  "a timer in the clock that should not be there": [
    "lib/runtime/clock.ts",
    "setInterval(f, 5);",
    "only the clock knows the time",
  ],
  "chance": ["lib/runtime/x.ts", "  return Math.random();", "chance is handed in"],
  "the environment": ["cli/x.ts", '  Deno.env.get("A");', "only the configuration reads the environment"],
  "a variable": ["lib/runtime/x.ts", "export let a = 1;", "nothing at module level changes"],
  "a map to be filled": [
    "lib/runtime/x.ts",
    "const a = new Map<string, () => void>();",
    "nothing at module level changes",
  ],
  "a list to be filled": ["lib/runtime/x.ts", "const a: string[] = [];", "nothing at module level changes"],
  "an arrow function": [
    "lib/runtime/x.ts",
    "export const f = (a: number): number => a;",
    "functions at module level are declared as such",
  ],
  "an arrow function over several lines": [
    "lib/runtime/x.ts",
    "const f = async (\n  a: number,\n  b: number,\n): Promise<void> => {};",
    "functions at module level are declared as such",
  ],
  "a default export": ["lib/runtime/x.ts", "export default {};", "nothing is exported as default"],
};

for (const [name, [path, text, rule]] of Object.entries(caught)) {
  Deno.test(`architecture: ${name} is found`, () => assert.equal(rules[rule]![0](imagined(path, text)).length, 1));
}

const allowed: Record<string, [path: string, text: string]> = {
  "an arrow that points down": ["lib/runtime/x.ts", 'import { a } from "../kube/client.ts";'],
  "a library": ["lib/runtime/x.ts", 'import { z } from "zod";'],
  "a type of the client in a pure file": [
    "lib/controllers/printer/gather.ts",
    'import type { A } from "../../kube/client.ts";',
  ],
  "a type among types in a pure file": [
    "lib/controllers/printer/gather.ts",
    'import { type A } from "../../kube/client.ts";',
  ],
  "words in a comment": ["lib/runtime/x.ts", "/** No Date.now() here. */\n// setTimeout, Deno.env\n"],
  "a date that is given": ["lib/runtime/x.ts", "const time = new Date(now);"],
  "a table": ["lib/runtime/x.ts", "const A = new Map([[1, 2]]);\nconst B = new Set(['a']);\nconst C = { a: 1 };"],
  "a function in a function": ["lib/runtime/x.ts", "function f() {\n  const g = () => 1;\n  let a = g();\n}"],
  "a double in a double": ["lib/runtime/fake_x.ts", 'import { FakeClock } from "./fake_clock.ts";'],
};

for (const [name, [path, text]] of Object.entries(allowed)) {
  Deno.test(`architecture: ${name} is allowed`, () => {
    for (const [rule] of Object.values(rules)) assert.deepEqual(rule(imagined(path, text)), []);
  });
}
