/**
 * The changes that a DatabaseMigration asks for, from its spec or from a ConfigMap, and which of their texts a status is
 * about. Pure.
 *
 * @module
 */
import type { DatabaseMigration, Migration } from "../api/database_migration.ts";
import type { KubeObject } from "../api/object.ts";
import { digestOf } from "../runtime/differs.ts";
import { type Change, changeProblems, changesOf, migrationsOfFiles } from "./migration_set.ts";

/** Changes, or why there are none. */
export type Changes = { changes: Change[] } | { problem: { reason: string; message: string } };

/** Those in a ConfigMap, whose keys are files in Flyway's naming. */
export function changesIn({ data = {}, binaryData = {}, metadata }: KubeObject): Changes {
  try {
    // Where kubectl puts files that are no UTF-8: a change would be missing without a word.
    const [binary] = Object.keys(binaryData);
    if (binary !== undefined) throw new Error(`File "${binary}" must be text in UTF-8`);
    return judged(migrationsOfFiles(data));
  } catch (error) {
    const message = `ConfigMap "${metadata.namespace}/${metadata.name}": ${(error as Error).message}`;
    return { problem: { reason: "InvalidMigrations", message } };
  }
}

/** What admission refuses, too: it may have been away. */
export function judged(migrations: readonly Migration[]): Changes {
  const [first] = changeProblems(migrations);
  if (!first) return { changes: changesOf(migrations) };
  const { version } = migrations[first.index]!;
  return {
    problem: { reason: "InvalidMigrations", message: `Version "${version}": ${first.field}: ${first.message}` },
  };
}

/**
 * What the annotation that approves changes after a rollout has to say: the generation, and where the changes stand in a
 * ConfigMap, of which no generation tells, their digest.
 */
export function revisionOf({ spec, metadata }: DatabaseMigration, changes: readonly Change[]): string {
  const generation = String(metadata.generation);
  if (!spec.source) return generation;
  return `${generation}-${
    digestOf(changes.map(({ version, checksum, isContract }) => [version, checksum, isContract]))
  }`;
}
