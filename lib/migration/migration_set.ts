/**
 * The changes that one object asks for, in the order in which they run. Pure.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { MAX_MIGRATIONS, MAX_SQL_BYTES, MAX_VERSION_LENGTH, type Migration } from "../api/database_migration.ts";
import { canonical, compareVersions } from "./versions.ts";

/** A migration with what follows from it. */
export interface Change {
  version: string;
  description: string;
  sql: string;
  rollback?: string;
  isContract: boolean;
  /** Of the text: two with the same are one text. */
  checksum: string;
}

/** What is wrong with one migration of a list. */
export interface ChangeProblem {
  /** Index in the list. */
  index: number;
  field: "version" | "sql" | "rollback";
  message: string;
}

/** Stands for the checksum of what is applied and was found to differ: it fits no text. */
export const UNVERIFIED = "unverified";

const ABOVE_ZERO = "Must be higher than 0, which stands for all that was there before";
const CHECKSUM_LENGTH = 16;
const FILE = /^([VU])([0-9]+(?:[._][0-9]+)*)__(.*)\.sql$/s;

/** In the order of their versions. */
export function changesOf(migrations: readonly Migration[]): Change[] {
  const changes = migrations.map(({ version, description = "", sql, rollback, stage }): Change => ({
    ...{ version, description, sql },
    // An empty text is an absent one to the API server.
    ...(rollback ? { rollback } : {}),
    isContract: stage === "contract",
    checksum: checksumOf(sql),
  }));
  return changes.sort((a, b) => compareVersions(a.version, b.version));
}

/** Digest of a script. */
export function checksumOf(sql: string): string {
  return createHash("sha256").update(sql).digest("hex").slice(0, CHECKSUM_LENGTH);
}

/** What the schema cannot tell: versions that are one in other words, and scripts by their bytes. */
export function changeProblems(
  migrations: readonly Pick<Migration, "version" | "sql" | "rollback">[],
): ChangeProblem[] {
  const first = new Map<string, string>();
  return migrations.flatMap(({ version, sql, rollback = "" }, index): ChangeProblem[] => {
    const twin = first.get(canonical(version));
    first.set(canonical(version), twin ?? version);
    const isSpelledTwice = twin !== undefined && twin !== version;
    return [
      ...(canonical(version) === "0" ? [{ index, field: "version" as const, message: ABOVE_ZERO }] : []),
      ...(isSpelledTwice ? [{ index, field: "version" as const, message: `Is version "${twin}" in other words` }] : []),
      ...sizeProblems(index, "sql", sql),
      ...sizeProblems(index, "rollback", rollback),
    ];
  });
}

function sizeProblems(index: number, field: "sql" | "rollback", sql: string): ChangeProblem[] {
  const bytes = bytesOf(sql);
  if (bytes <= MAX_SQL_BYTES) return [];
  const message = `Must have at most ${MAX_SQL_BYTES} bytes as UTF-8: ${bytes}; a ConfigMap takes no more, split it`;
  return [{ index, field, message }];
}

/** Length as UTF-8. */
export function bytesOf(sql: string): number {
  return new TextEncoder().encode(sql).length;
}

/**
 * The migrations that the files of a ConfigMap are: `V<version>__<description>.sql`, rollbacks `U<version>__….sql`. The
 * description of a change after a rollout begins with `contract`.
 *
 * @throws {Error} When a file is called otherwise or as another, a rollback has no change, or there are too many.
 */
export function migrationsOfFiles(files: Readonly<Record<string, string>>): Migration[] {
  const named = Object.keys(files).map(partsOf);
  const [found, rollbacks] = ["V", "U"].map((kind) => byVersion(named.filter((file) => file.kind === kind)));
  for (const version of rollbacks!.keys()) {
    if (found!.has(version)) continue;
    throw new Error(`Rollback of version "${version}" has no change: V${version}__….sql is missing`);
  }
  if (found!.size > MAX_MIGRATIONS) throw new Error(`Must have at most ${MAX_MIGRATIONS} versions: ${found!.size}`);
  return [...found!.values()].map(({ name, version, words }) => {
    const undo = rollbacks!.get(version);
    return { ...migrationOf(version, words, files[name]!), ...(undo ? { rollback: files[undo.name]! } : {}) };
  });
}

interface NamedFile {
  name: string;
  kind: string;
  version: string;
  words: string;
}

function partsOf(name: string): NamedFile {
  const [, kind, written = "", words = ""] = FILE.exec(name) ?? [];
  if (!kind) throw new Error(`File "${name}" must be called V<version>__<description>.sql or U<version>__….sql`);
  if (written.length > MAX_VERSION_LENGTH) {
    throw new Error(`File "${name}": The version must have at most ${MAX_VERSION_LENGTH} characters`);
  }
  return { name, kind, version: written.replaceAll("_", "."), words };
}

function byVersion(files: readonly NamedFile[]): Map<string, NamedFile> {
  const found = new Map<string, NamedFile>();
  for (const file of files) {
    const twin = found.get(file.version);
    if (twin) throw new Error(`Files "${twin.name}" and "${file.name}" are both version "${file.version}"`);
    found.set(file.version, file);
  }
  return found;
}

function migrationOf(version: string, words: string, sql: string): Migration {
  const description = words.replaceAll("_", " ").trim();
  const isContract = /^contract\b/i.test(description);
  return { version, description, sql, ...(isContract ? { stage: "contract" as const } : {}) };
}
