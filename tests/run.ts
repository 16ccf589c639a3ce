/**
 * `deno task test`: everything that must hold before a change lands, in the order of how soon it tells. Ends with a line
 * `N passed, N failed`.
 *
 * @module
 */

interface Step {
  name: string;
  args: string[];
  /** Its results are counted test by test. */
  isTest?: boolean;
}

const UNIT_FOLDERS = [
  "lib",
  "cli",
  "crds",
  "webhook",
  "dev",
  "deploy",
  "tests/architecture_test.ts",
  "tests/asked_test.ts",
  "tests/bench",
  "tests/fault_proxy_test.ts",
  "tests/wait_test.ts",
];
const UNIT_PERMISSIONS = ["--allow-net=127.0.0.1,localhost", "--allow-read", "--allow-write", "--allow-env"];

const INTEGRATION = "tests/integration";
const UNDER_LOAD = ["certificates", "webhook_rotation", "cost"].map((name) => `${INTEGRATION}/${name}_test.ts`);
/** They go first, so that none of them is waited for at the end. */
const LONGEST = ["silence", "faults", "leader", "operator"].map((name) => `${INTEGRATION}/${name}_test.ts`);

const UNIT: Step = {
  name: "unit tests",
  args: ["test", "--quiet", "--permit-no-files", ...UNIT_PERMISSIONS, ...UNIT_FOLDERS],
  isTest: true,
};
const ALL: Step[] = [
  { name: "format", args: ["fmt", "--check", "--quiet"] },
  { name: "lint", args: ["lint", "--quiet"] },
  { name: "types", args: ["check", "--quiet", "."] },
  { name: "generated files", args: ["task", "verify"] },
  UNIT,
  { name: "renderer in Go", args: ["task", "test:render"] },
  { name: "renderer as a process", args: ["test", "--quiet", "-A", "tests/render"], isTest: true },
  { name: "registries and builds", args: ["test", "--quiet", "-A", "tests/registry"], isTest: true },
  { name: "jobs", args: ["test", "--quiet", "-A", "tests/jobs"], isTest: true },
  { name: "control plane", args: ["test", "--quiet", "-A", "tests/control_plane"], isTest: true },
  // These wait more than they work: each file has a control plane of its own.
  {
    name: "integration tests",
    args: ["test", "--quiet", "-A", "--parallel", ...together()],
    isTest: true,
  },
  // The API server gives an admission 3 s: a machine that is busy with other tests would lose some.
  { name: "admission under load", args: ["test", "--quiet", "-A", ...UNDER_LOAD], isTest: true },
];

/** On the cluster that the environment names; see tests/e2e. */
const END_TO_END: Step[] = [
  { name: "image", args: ["test", "--quiet", "-A", "tests/image"], isTest: true },
  { name: "end-to-end tests", args: ["test", "--quiet", "-A", "tests/e2e"], isTest: true },
];

/** The files of integration tests that may run beside each other, in the order of their start. */
function together(): string[] {
  const names = [...Deno.readDirSync(INTEGRATION)].map(({ name }) => `${INTEGRATION}/${name}`).sort();
  const files = names.filter((name) => name.endsWith("_test.ts") && ![...UNDER_LOAD, ...LONGEST].includes(name));
  return [...LONGEST, ...files];
}

interface Count {
  passed: number;
  failed: number;
  /** The name of each test that failed, and the beginning of what it said, in one line. */
  failures: string[];
}

/** Characters of what one failed test said. */
const FAILURE_LENGTH = 600;

function stepsFor(tier: string | undefined): Step[] {
  if (tier === "--unit") return [UNIT];
  return tier === "--e2e" ? END_TO_END : ALL;
}

async function run(step: Step, folder: string): Promise<Count> {
  print(`== ${step.name}`);
  const report = `${folder}/${step.name.replaceAll(" ", "-")}.xml`;
  const args = step.isTest ? [step.args[0]!, `--junit-path=${report}`, ...step.args.slice(1)] : step.args;
  const env = { DENO_JOBS: "3" };
  const command = new Deno.Command(Deno.execPath(), { args, env, stdin: "null", stdout: "inherit", stderr: "inherit" });
  const { success } = await command.spawn().status;
  const counted = step.isTest ? await countOf(report) : undefined;
  // A run that broke before it reported, or failed without naming a test (a leak, a type error), is a failure too.
  const count = counted ?? { passed: success ? 1 : 0, failed: 0, failures: [] };
  if (!success && count.failed === 0) {
    count.failed = 1;
    count.failures.push("ended with an error of its own, see above");
  }
  print(`== ${step.name}: ${count.passed} passed, ${count.failed} failed\n`);
  return count;
}

/** Totals of a JUnit report. */
async function countOf(path: string): Promise<Count | undefined> {
  const text = await Deno.readTextFile(path).catch(() => undefined);
  const root = text && /<testsuites [^>]*tests="(\d+)" failures="(\d+)" errors="(\d+)"/.exec(text);
  if (!root) return undefined;
  const [tests, failures, errors] = root.slice(1).map(Number) as [number, number, number];
  return { passed: tests - failures - errors, failed: failures + errors, failures: failuresOf(text) };
}

function failuresOf(report: string): string[] {
  const failed = /<testcase name="([^"]*)"[^>]*>\s*<(?:failure|error) message="([^"]*)"/g;
  const said = [...report.matchAll(failed)].map(([, name, message]) => plain(`${name}: ${message}`));
  return said.map((line) => line.length > FAILURE_LENGTH ? `${line.slice(0, FAILURE_LENGTH)} …` : line);
}

const ENTITIES: Record<string, string> = { quot: '"', apos: "'", lt: "<", gt: ">", amp: "&" };

/** Text of XML in one line. */
function plain(text: string): string {
  return text.replaceAll(/&(\w+);/g, (written, name) => ENTITIES[name] ?? written).replaceAll(/\s+/g, " ");
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "maquette-test-" });
  const total: Count = { passed: 0, failed: 0, failures: [] };
  try {
    for (const step of stepsFor(Deno.args[0])) {
      const { passed, failed, failures } = await run(step, folder);
      total.passed += passed;
      total.failed += failed;
      total.failures.push(...failures.map((failure) => `${step.name}: ${failure}`));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  for (const failure of total.failures) print(`FAILED: ${failure}`);
  print(`${total.passed} passed, ${total.failed} failed`);
  Deno.exit(total.failed > 0 ? 1 : 0);
}
