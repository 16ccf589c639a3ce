/**
 * What a run tells in its container's termination message. Pure; scripts.ts says what is in it.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { CONTAINER } from "./job.ts";

/** What a run told, as far as it got. Versions are those of the request, in its order. */
export interface Report {
  /** Applied when the run began. */
  before?: string[];
  /** Applied when it ended; absent where it could not tell. */
  after?: string[];
  /** Highest version of the history; `""` where there is none. */
  current?: string;
  /** What the history calls failed: half applied, because no transaction undid it. */
  half: string[];
  /** Refused: a change that would run behind a higher version. */
  outOfOrder?: { version: string; current: string };
  /** Refused: a change after a rollout that stands before one that the rollout waits for. */
  held?: { version: string; before: string };
  /** Refused: a change that is applied as another spelling of its version, which the tool would apply again. */
  respelled?: { version: string; applied: string };
  /** What the tool said; `""` where it said nothing. */
  error: string;
}

/** @param message The termination message. @param versions Of the request, in its order. */
export function readReport(message: string, versions: readonly string[]): Report {
  const [lines = "", ...error] = message.split(/^error\n/m);
  const report: Report = { half: [], error: error.join("error\n").trim() };
  for (const line of lines.split("\n")) {
    const [word, ...values] = line.trim().split(" ");
    if (word === "before" || word === "after") report[word] = inRanges(values[0] ?? "", versions);
    if (word === "current") report.current = values[0] ?? "";
    if (word === "half") report.half = values.flatMap((value) => versionAt(value, versions));
    if (word === "order") {
      report.outOfOrder = { version: versionAt(values[0], versions)[0] ?? "", current: values[1] ?? "" };
    }
    if (word === "spelled") {
      report.respelled = { version: versionAt(values[0], versions)[0] ?? "", applied: values[1] ?? "" };
    }
    if (word === "held") {
      const [version = "", before = ""] = values.flatMap((value) => versionAt(value, versions));
      report.held = { version, before };
    }
  }
  return report;
}

/** `1-3,5` */
function inRanges(text: string, versions: readonly string[]): string[] {
  return text.split(",").filter(Boolean).flatMap((range) => {
    const [first = NaN, last = first] = range.split("-").map(Number);
    return versions.slice(first - 1, last);
  });
}

function versionAt(position: string | undefined, versions: readonly string[]): string[] {
  const version = versions[Number(position) - 1];
  return version === undefined ? [] : [version];
}

interface ContainerStatus {
  name: string;
  state?: { terminated?: { exitCode: number; message?: string; finishedAt?: string } };
}

/** The reports of a run's Pods that have ended, the first to end first. */
export function reportsOf(pods: readonly KubeObject[], versions: readonly string[]): Report[] {
  const ends = pods.flatMap(({ status }) => (status?.containerStatuses ?? []) as ContainerStatus[])
    .filter(({ name }) => name === CONTAINER).flatMap(({ state }) => state?.terminated ?? []);
  ends.sort((a, b) => (a.finishedAt ?? "") < (b.finishedAt ?? "") ? -1 : 1);
  return ends.filter(({ message }) => message).map(({ message }) => readReport(message!, versions));
}

/** What several Pods of one run told together: how it was before the first, and after the last. */
export function whole(reports: readonly Report[]): Report | undefined {
  const last = reports.at(-1);
  if (!last) return undefined;
  const before = reports.find((report) => report.before)?.before;
  const after = last.after ?? reports.findLast((report) => report.after)?.after;
  return { ...last, before, after };
}

/** Version and line of a failure, as far as the tool tells them. */
export function failureIn(error: string): { version?: string; line?: number } {
  const version =
    /(?:to version "|changeset maquette::|maquette::|migration version |not applied to database: )([0-9][0-9.]*[0-9]|[0-9])/
      .exec(error)?.[1];
  const line = /^Line +: (\d+)$/m.exec(error)?.[1];
  return { ...(version ? { version } : {}), ...(line ? { line: Number(line) } : {}) };
}

/** What the database said, without what the tool puts around it. */
export function spokenIn(error: string): string {
  const flyway = /^Message +: ([\s\S]*?)(?=\n(?:Location|Line|Statement) +:|\nERROR: |$(?![\s\S]))/m.exec(error)?.[1];
  const liquibase = /Reason: liquibase\.exception\.\w+: ([\s\S]*)/.exec(error)?.[1];
  // MariaDB's driver says which connection it was, which nobody can use.
  return (flyway ?? liquibase ?? error).replaceAll(/\(conn=\d+\) /g, "").trim();
}

/** Whether the tool found the text of an applied version changed, or its description. */
export function isEdited(error: string): boolean {
  return /(checksum|description|type) mismatch for migration version|changesets check sum/.test(error);
}

/** Whether the image lacks the driver of the database. */
export function isWithoutDriver(error: string): boolean {
  return /Cannot find database driver|Unable to instantiate JDBC driver|No database found to handle/.test(error);
}
