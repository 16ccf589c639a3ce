/**
 * The files that a tool reads, and how they are put into ConfigMaps. Pure.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { hasTransactionalDdl, sessionEnd } from "./database.ts";
import { bytesOf, type Change } from "./migration_set.ts";
import { upToLastStatement } from "./mysql_text.ts";
import type { MigrationRequest } from "./request.ts";

/** Files by name. */
export type Files = Readonly<Record<string, string>>;

/** Table in which Liquibase's changes are marked as done, in the transaction that does them. */
export const MARKS_TABLE = "maquette_changes";
/** Author and path of Liquibase's changesets: with the version, what its history knows them by. */
const AUTHOR = "maquette";
/** Stands for the dollar of `${`, which Liquibase would take for a property. */
const DOLLAR = "${MAQUETTE_DOLLAR}";
/** Of the values of one ConfigMap: the API takes 1 MiB. */
const PART_BYTES = 1_000_000;
/** A key of a ConfigMap has 253 characters, a description of Flyway's history 200. */
const MAX_WORDS = 190;

/** What a run reads. `versions` has a version on each line, in the order of the changes. */
export function runFiles(request: MigrationRequest): Files {
  const { tool, changes, upTo } = request;
  const scripts = changes.slice(0, tool === "flyway" ? changes.length : upTo).map((
    change,
  ): [string, string] => [fileName(change), scriptFor(request, change.sql)]);
  const changelog: [string, string][] = tool === "flyway" ? [] : [["changelog.json", changelogOf(request)]];
  return Object.fromEntries([versionsFile(changes), ...changelog, ...scripts]);
}

/** What undoing reads: `undo-<position>.sql`. */
export function undoFiles(request: MigrationRequest, undo: readonly string[]): Files {
  const { changes } = request;
  const scripts = changes.flatMap(({ version, rollback }, index): [string, string][] => {
    if (!undo.includes(version) || rollback === undefined) return [];
    return [[`undo-${index + 1}.sql`, scriptFor(request, rollback)]];
  });
  return Object.fromEntries([versionsFile(changes), ...scripts]);
}

function versionsFile(changes: readonly Change[]): [string, string] {
  return ["versions", changes.map(({ version }) => `${version}\n`).join("")];
}

/**
 * `V<version>__<description>.sql`, as Flyway reads it; a key of a ConfigMap has letters, digits, `_`, `-` and dots. What
 * can be such a name stays as it is: a history that was there before knows its changes by their descriptions.
 */
export function fileName({ version, description }: Pick<Change, "version" | "description">): string {
  const isName = /^[-._a-zA-Z0-9 ]*$/.test(description);
  const plain = isName ? description : description.normalize("NFKD").replace(/[^a-zA-Z0-9]+/g, " ").trim();
  return `V${version}__${plain.replaceAll(" ", "_").slice(0, MAX_WORDS) || "change"}.sql`;
}

/** Digest of all files, as `sha256sum` tells it of their digests and names. */
export function digestOfFiles(files: Files): string {
  const sum = (text: string): string => createHash("sha256").update(text).digest("hex");
  return sum(Object.entries(files).map(([name, content]) => `${sum(content)}  ${name}\n`).sort().join(""));
}

/** The text as a tool has to read it, so that it reaches the database as it stands. */
function scriptFor({ tool, database }: Pick<MigrationRequest, "tool" | "database">, sql: string): string {
  if (tool === "flyway") return sql;
  const script = database.engine === "postgres" ? sql : upToLastStatement(sql);
  return script.replaceAll("${", () => `${DOLLAR}{`);
}

/**
 * Scripts are files of their own, because in a formatted SQL file a comment may be an order (`--rollback …`).
 *
 * Liquibase commits a change before it writes its history. The change therefore carries a mark of its own with it, and
 * one that is marked is only written into the history: a run that is killed in between applies nothing twice. The mark
 * goes first where all is one transaction: whoever comes while that is open waits for it. Where DDL commits at once it
 * goes last, so that it never stands for half a change.
 */
function changelogOf({ changes, upTo, database }: MigrationRequest): string {
  const isMarkedFirst = hasTransactionalDdl(database);
  const changeSets = changes.slice(0, upTo).map((change) => {
    const { version } = change;
    const script = { path: fileName(change), splitStatements: false, stripComments: false, encoding: "UTF-8" };
    const { preConditions, table, mark } = markOf(version);
    const text = { sqlFile: script };
    const ending = sessionEnd(database);
    const changes = [
      table,
      ...(isMarkedFirst ? [mark, text] : [text, mark]),
      ...(ending ? [{ sql: { sql: ending } }] : []),
    ];
    return { changeSet: { id: version, author: AUTHOR, logicalFilePath: AUTHOR, preConditions, changes } };
  });
  return JSON.stringify({ databaseChangeLog: changeSets });
}

function markOf(version: string): { preConditions: unknown[]; table: unknown; mark: unknown } {
  const isMissing = { not: [{ tableExists: { tableName: MARKS_TABLE } }] };
  const isUnmarked = {
    sqlCheck: { expectedResult: "0", sql: `SELECT COUNT(*) FROM ${MARKS_TABLE} WHERE id = '${version}'` },
  };
  return {
    preConditions: [{ onFail: "MARK_RAN" }, { or: [isMissing, isUnmarked] }],
    table: { sql: { sql: `CREATE TABLE IF NOT EXISTS ${MARKS_TABLE} (id varchar(50) PRIMARY KEY)` } },
    mark: { sql: { sql: `INSERT INTO ${MARKS_TABLE} (id) VALUES ('${version}')` } },
  };
}

/** The files in as few lots as ConfigMaps are needed for them, in their order. */
export function inParts(files: Files): Files[] {
  const parts: Record<string, string>[] = [{}];
  let room = PART_BYTES;
  for (const [name, content] of Object.entries(files)) {
    const bytes = bytesOf(content);
    if (bytes > room && Object.keys(parts.at(-1)!).length > 0) {
      parts.push({});
      room = PART_BYTES;
    }
    parts.at(-1)![name] = content;
    room -= bytes;
  }
  return parts;
}
