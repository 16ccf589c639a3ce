/**
 * The figures for people: tables as text or as Markdown, and lines of JSON for machines. Pure.
 *
 * @module
 */
import type { BareRun } from "./bare.ts";
import { beyondWatches, quantile, type Requests, sum } from "./figures.ts";
import type { IdleRun } from "./idle.ts";
import type { Wave } from "./waves.ts";
import type { WebhookRun } from "./webhook.ts";

/** Where and of what the figures are. */
export interface Setting {
  date: string;
  cores: number;
  processor: string;
  memoryGb: number;
  deno: string;
  maquette: string;
  /** `compiled binary` or `deno run`. */
  form: string;
  kubernetes: string;
  bareConcurrency: number;
  objectsEach: number;
}

/** Everything that was measured. */
export interface Figures {
  setting: Setting;
  waves: Wave[];
  /** By size of the wave. */
  bare: Map<number, BareRun[]>;
  idle: IdleRun;
  webhook?: WebhookRun;
}

interface Table {
  title: string;
  /** What a reader must know to read it. */
  notes: string[];
  head: string[];
  rows: string[][];
}

/** What the bare client took for the like of a wave: the mean of its runs, in milliseconds. */
export function bareMs(wave: Wave["wave"], runs: readonly BareRun[]): number | undefined {
  const part = ({ create: "createMs", update: "updateMs", delete: "deleteMs" } as const)[wave as "create"];
  return part && runs.length > 0 ? sum(runs.map((run) => run[part])) / runs.length : undefined;
}

/** How often as long as the bare client. */
export function ratioOf({ wave, size, doneMs }: Wave, bare: Figures["bare"]): number | undefined {
  const ms = bareMs(wave, bare.get(size) ?? []);
  return ms && doneMs / ms;
}

function tables(figures: Figures): Table[] {
  return [
    wavesTable(figures),
    requestsTable(figures),
    idleTable(figures),
    ...(figures.webhook ? [webhookTable(figures.webhook)] : []),
  ];
}

function wavesTable({ waves, bare, setting }: Figures): Table {
  return {
    title: "Waves",
    notes: [
      "Done: all children exist, have the new image, are gone (create, update, delete, counted from the first request of " +
      "whoever asks, through admission), or are looked at again (restart, counted from the start of the process).",
      `Bare: a client that does the same to the same ${setting.objectsEach} objects each, ${setting.bareConcurrency} ` +
      "requests at once, while no operator runs. It creates all namespaces and then applies everything else; it applies " +
      "the Deployments with the new image; it deletes the namespaces.",
      "CPU until nothing is left to do, all Ready; a restart with the start of the process. Bare CPU: of the bare client, " +
      "for its requests alone.",
    ],
    head: [
      "wave",
      "owners",
      "done",
      "bare",
      "ratio",
      "all Ready",
      "operator CPU",
      "CPU each",
      "bare CPU each",
      "API server CPU",
      "RSS",
    ],
    rows: waves.map((wave) => waveRow(wave, bare)),
  };
}

function waveRow(wave: Wave, bare: Figures["bare"]): string[] {
  const { cpu } = wave.wholeUsage;
  const ratio = ratioOf(wave, bare);
  return [
    wave.wave,
    String(wave.size),
    seconds(wave.doneMs),
    seconds(bareMs(wave.wave, bare.get(wave.size) ?? [])),
    ratio === undefined ? "" : ratio.toFixed(2),
    seconds(wave.readyMs),
    `${cpu.operator!.toFixed(2)} s`,
    `${(cpu.operator! * 1000 / wave.size).toFixed(1)} ms`,
    wave.wave === "create" ? bareCpuEach(bare.get(wave.size) ?? [], wave.size) : "",
    cpu["kube-apiserver"] === undefined ? "" : `${cpu["kube-apiserver"].toFixed(1)} s`,
    `${wave.memory.rssMb.toFixed(0)} MiB`,
  ];
}

/** Of the client that makes the same objects: what the requests alone cost on this machine, at this time. */
function bareCpuEach(runs: readonly BareRun[], size: number): string {
  const total = sum(runs.map(({ usage }) => usage.cpu.bench ?? 0));
  return runs.length > 0 ? `${(total * 1000 / runs.length / size).toFixed(1)} ms` : "";
}

function requestsTable({ waves }: Figures): Table {
  return {
    title: "Requests of the operator",
    notes: ["Without renewals of the lease. `event`: an Event about an owner."],
    head: ["wave", "owners", "each", "by verb"],
    rows: waves.map(({ wave, size, wholeUsage: { requests } }) => [
      wave,
      String(size),
      (beyondWatches(requests) / size).toFixed(2),
      byVerb(requests),
    ]),
  };
}

function byVerb(requests: Requests): string {
  return Object.entries(requests).map(([verb, count]) => `${verb} ${count}`).join(", ");
}

function idleTable({ idle }: Figures): Table {
  const row = (name: string, samples: number[]): string[] => [
    name,
    String(samples.length),
    ...[0.5, 0.99, 1].map((part) => `${quantile(samples, part).toFixed(0)} ms`),
  ];
  return {
    title: "One by one",
    notes: ["From the request that applies an environment, each when the one before is Ready."],
    head: ["until", "samples", "p50", "p99", "max"],
    rows: [
      row("accepted, through admission", idle.accepted),
      row("a watch outside has shown all children", idle.complete),
    ],
  };
}

function webhookTable({ requests, failed, seconds, rate, client, own, operatorCpuSeconds }: WebhookRun): Table {
  const times = (p50: string, p99: string): string[] => [String(requests), String(failed), p50, p99];
  const cpu = `${(operatorCpuSeconds * 1000 / requests).toFixed(2)} ms`;
  return {
    title: "Admission",
    notes: [
      `${rate} requests a second for ${seconds} s over HTTP/1.1 and TLS, with the environments of the largest wave cached.`,
      "Own time: the bucket of the webhook's histogram. Client: from the moment that a request was due.",
    ],
    head: ["measured by", "requests", "failed", "p50", "p99", "operator CPU each"],
    rows: [
      ["the webhook", ...times(`≤ ${own.p50} ms`, `≤ ${own.p99} ms`), cpu],
      ["the client", ...times(`${quantile(client, 0.5).toFixed(1)} ms`, `${quantile(client, 0.99).toFixed(1)} ms`), ""],
    ],
  };
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? "" : `${(ms / 1000).toFixed(2)} s`;
}

/** One line about the machine and the versions. */
export function settingLine(setting: Setting): string {
  const { date, cores, processor, memoryGb, deno, maquette, form, kubernetes } = setting;
  return `${date}: Maquette ${maquette} (${form}) on Deno ${deno}, Kubernetes ${kubernetes}, ` +
    `${cores} cores of ${processor}, ${memoryGb} GiB`;
}

/** For a terminal. */
export function textReport(figures: Figures): string {
  const parts = tables(figures).map(({ title, notes, head, rows }) => {
    const widths = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]!.length)));
    const lines = [head, ...rows].map((row) =>
      row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()
    );
    return [title.toUpperCase(), ...notes, "", ...lines].join("\n");
  });
  return [settingLine(figures.setting), ...parts].join("\n\n");
}

/** As docs/benchmarks.md has it. */
export function markdownReport(figures: Figures): string {
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  const parts = tables(figures).map(({ title, notes, head, rows }) =>
    [
      `### ${title}`,
      "",
      ...notes.flatMap((note) => [note, ""]),
      line(head),
      line(head.map(() => "---")),
      ...rows.map(line),
    ]
      .join("\n")
  );
  return [settingLine(figures.setting), ...parts].join("\n\n");
}

/** One JSON object a line. */
export function jsonLines({ setting, waves, bare, idle, webhook }: Figures): string {
  const lines: unknown[] = [
    { measure: "setting", ...setting },
    ...[...bare].flatMap(([size, runs]) => runs.map((run) => ({ measure: "bare", size, ...run }))),
    ...waves.map((wave) => ({
      measure: "wave",
      ...wave,
      bareMs: bareMs(wave.wave, bare.get(wave.size) ?? []),
      ratio: ratioOf(wave, bare),
    })),
    { measure: "idle", ...idle },
    ...(webhook ? [{ measure: "webhook", ...webhook, client: undefined, ...clientTimes(webhook) }] : []),
  ];
  return lines.map((line) => JSON.stringify(line)).join("\n");
}

function clientTimes({ client }: WebhookRun): Record<string, number> {
  return { clientP50: quantile(client, 0.5), clientP99: quantile(client, 0.99), clientMax: quantile(client, 1) };
}
