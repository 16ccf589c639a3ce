/**
 * `deno task bench`: measures the operator beside a bare client, and says nothing about whether that is good enough.
 * `tests/integration/cost_test.ts` holds what must stay as it is. docs/benchmarks.md tells what is measured.
 *
 * @module
 */
import { VERSION } from "../../lib/version.ts";
import { type BareOptions, type BareRun, bareRun, fastestConcurrency } from "./bare.ts";
import { Bed } from "./bed.ts";
import { idleRun, removeOwners } from "./idle.ts";
import { type BenchOptions, HELP, readOptions } from "./options.ts";
import { untilNone } from "./outside.ts";
import { Decisions } from "./owners.ts";
import { type Figures, jsonLines, markdownReport, type Setting, settingLine, textReport } from "./report.ts";
import { type Wave, waves } from "./waves.ts";
import { type WebhookRun, webhookRun } from "./webhook.ts";

/** Numbers of pull requests, a range for every step: the names of one are not free for the next. */
const RANGES = { idle: 1, calibration: 1_000, waves: 10_000, perSize: 10_000, perRun: 2_000 } as const;

async function main(args: string[]): Promise<void> {
  const options = readOptions(args);
  if (!options) return say(Deno.stdout, HELP);
  const figures = await measure(options);
  say(Deno.stdout, options.markdown ? markdownReport(figures) : textReport(figures));
  if (options.json) await Deno.writeTextFile(options.json, `${jsonLines(figures)}\n`);
  else if (!options.markdown) say(Deno.stdout, `\n${jsonLines(figures)}`);
}

async function measure(options: BenchOptions): Promise<Figures> {
  await using bed = await Bed.start(options.nodes, options.flags);
  const decisions = new Decisions(options.flags);
  progress(`${options.idle} environments one by one`);
  const idleRange = { first: RANGES.idle, size: options.idle };
  const idle = await idleRun(bed, idleRange, decisions);
  await removeOwners(bed, idleRange);
  await untilNone(bed.kube, [...decisions.resources]);
  await bed.stopOperator();
  const concurrency = options.bareConcurrency || await calibrate(bed, decisions);
  const setting = await settingOf(bed, { decisions, concurrency });
  progress(settingLine(setting));
  const figures: Figures = { setting, idle, waves: [], bare: new Map() };
  const largest = Math.max(...options.sizes);
  for (const [index, size] of options.sizes.entries()) {
    const first = RANGES.waves + index * RANGES.perSize;
    const found = await measureSize(bed, { first, size }, { ...options, decisions, concurrency, largest });
    figures.bare.set(size, found.bare);
    figures.waves.push(...found.waves);
    figures.webhook ??= found.webhook;
  }
  return figures;
}

async function calibrate(bed: Bed, decisions: Decisions): Promise<number> {
  progress("finding the concurrency at which the bare client is fastest");
  return await fastestConcurrency(bed, decisions, RANGES.calibration);
}

/** The bare client before and after the operator: what else the machine does is in both. */
async function measureSize(
  bed: Bed,
  range: { first: number; size: number },
  options: BenchOptions & BareOptions & { largest: number },
): Promise<{ bare: BareRun[]; waves: Wave[]; webhook?: WebhookRun }> {
  const { first, size } = range;
  const isLargest = size === options.largest;
  progress(`bare client, ${size}`);
  const bare = [await bareRun(bed, range, options)];
  await bed.startOperator();
  const found: Wave[] = [];
  let webhook: WebhookRun | undefined;
  for await (const wave of waves(bed, { first: first + RANGES.perRun, size }, options)) {
    progress(`${wave.wave} of ${size}: ${(wave.doneMs / 1000).toFixed(2)} s`);
    found.push(wave);
    if (wave.wave !== "restart" || !isLargest || !options.webhookSeconds) continue;
    progress(`admission, ${options.webhookRate} a second for ${options.webhookSeconds} s`);
    webhook = await webhookRun(bed, { seconds: options.webhookSeconds, rate: options.webhookRate });
  }
  await bed.stopOperator();
  for (let run = 1; run < options.bareRuns; run++) {
    progress(`bare client, ${size}, again`);
    bare.push(await bareRun(bed, { first: first + (run + 1) * RANGES.perRun, size }, options));
  }
  return { bare, waves: found, webhook };
}

async function settingOf(bed: Bed, { decisions, concurrency }: BareOptions): Promise<Setting> {
  const cpu = await Deno.readTextFile("/proc/cpuinfo");
  const { stdout } = await bed.plane.kubectl(["version", "-o", "json"]);
  return {
    date: new Date().toISOString().slice(0, 10),
    cores: navigator.hardwareConcurrency,
    processor: /^model name\s*: (.*)$/m.exec(cpu)?.[1] ?? Deno.build.arch,
    memoryGb: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    deno: Deno.version.deno,
    maquette: VERSION,
    form: Deno.env.get("MAQUETTE_BINARY") ? "compiled binary" : "deno run",
    kubernetes: JSON.parse(stdout).serverVersion.gitVersion,
    bareConcurrency: concurrency,
    objectsEach: (await decisions.objects(RANGES.idle)).length,
  };
}

function progress(text: string): void {
  say(Deno.stderr, `bench: ${text}`);
}

function say(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(`${text}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}

if (import.meta.main) await main(Deno.args);
