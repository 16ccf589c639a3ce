/**
 * What `deno task bench` is asked for.
 *
 * @module
 */
import { parseArgs } from "node:util";

/** See {@link HELP}. */
export interface BenchOptions {
  /** Owners of each wave, in this order. */
  sizes: number[];
  /** Environments made one by one. */
  idle: number;
  /** Seconds of admission under load; 0 leaves it out. */
  webhookSeconds: number;
  /** Admissions each second. */
  webhookRate: number;
  /** Requests that the bare client has under way at once; 0: the fastest of {@link CANDIDATES}. */
  bareConcurrency: number;
  /** Runs of the bare client for each size: the first before the operator, the others after. */
  bareRuns: number;
  /** Requests that the client which applies the owners has under way at once. */
  applyConcurrency: number;
  /** Simulated nodes. */
  nodes: number;
  markdown: boolean;
  /** File for JSON lines; without it they follow the table. */
  json?: string;
  /** Further flags of the operator. */
  flags: string[];
}

/** What the bare client's concurrency is chosen from. */
export const CANDIDATES = [16, 32, 64] as const;

export const HELP = `deno task bench [options]

Measures the operator as a process on a control plane of its own, beside a bare client in the same run.

  --sizes=1,50,500        owners of each wave
  --idle=50               environments made one by one
  --webhook-seconds=30    admission under load; 0 leaves it out
  --webhook-rate=200      admissions each second
  --bare-concurrency=0    of the bare client; 0: the fastest of ${CANDIDATES.join(", ")}
  --bare-runs=2           of each size: before the operator, and after
  --apply-concurrency=32  of the client that applies the owners
  --nodes=4               simulated nodes
  --operator-flag=FLAG    a flag of maquette run, such as --workers=8; may be given again
  --quick                 sizes 1,50, 10 environments one by one, 5 s of admission: under 2 minutes
  --markdown              prints the table as it stands in docs/benchmarks.md
  --json=FILE             writes JSON lines there instead of after the table

MAQUETTE_BINARY measures a compiled binary.`;

const DEFAULTS = {
  sizes: "1,50,500",
  idle: "50",
  "webhook-seconds": "30",
  "webhook-rate": "200",
  "bare-concurrency": "0",
  "bare-runs": "2",
  "apply-concurrency": "32",
  nodes: "4",
};
const QUICK = {
  ...DEFAULTS,
  sizes: "1,50",
  idle: "10",
  "webhook-seconds": "5",
  "bare-concurrency": "32",
  "bare-runs": "1",
};

/** @returns The options, or nothing when help was asked for. @throws {TypeError} On unknown options and bad numbers. */
export function readOptions(args: string[]): BenchOptions | undefined {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const numbers = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, text]));
  const { values } = parseArgs({
    args,
    options: {
      ...numbers,
      ...{ quick: flag, markdown: flag, help: { ...flag, short: "h" }, json: text },
      "operator-flag": { type: "string", multiple: true, default: [] },
    },
  });
  if (values.help) return undefined;
  const given: Record<string, unknown> = { ...(values.quick ? QUICK : DEFAULTS), ...values };
  const number = (name: keyof typeof DEFAULTS): number => wholeNumber(name, String(given[name]));
  return {
    sizes: String(given.sizes).split(",").map((size) => wholeNumber("sizes", size)),
    idle: number("idle"),
    webhookSeconds: number("webhook-seconds"),
    webhookRate: number("webhook-rate"),
    bareConcurrency: number("bare-concurrency"),
    bareRuns: number("bare-runs"),
    applyConcurrency: number("apply-concurrency"),
    nodes: number("nodes"),
    markdown: values.markdown === true,
    json: values.json as string | undefined,
    flags: given["operator-flag"] as string[],
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new TypeError(`--${name} must be a whole number: "${text}"`);
  return Number(text);
}
