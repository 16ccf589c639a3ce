/**
 * The changes that an object asks for, from its spec or from a ConfigMap. A ConfigMap is read once for each of its
 * versions, because no cache holds its content.
 *
 * @module
 */
import type { DatabaseMigration, Migration } from "../../api/database_migration.ts";
import type { KubeObject } from "../../api/object.ts";
import { CONFIG_MAP } from "../../api/resources.ts";
import { type Change, changeProblems, changesOf, migrationsOfFiles } from "../../migration/migration_set.ts";
import { sourceOf } from "../../runtime/copies.ts";
import type { GatherDeps } from "../../runtime/definition.ts";

/** Changes, or why there are none. */
export type Changes = { changes: Change[] } | { problem: { reason: string; message: string } };

const REMEMBERED = 100;

/** Key of the ConfigMap with the changes; undefined where they stand in the spec. */
export function sourceKey({ spec, metadata }: DatabaseMigration): string | undefined {
  return spec.source && `${metadata.namespace}/${spec.source.configMapRef.name}`;
}

/** See the module. */
export class SourceReader {
  readonly #known = new Map<string, Changes>();

  /** @throws What reading the ConfigMap throws. */
  async read(owner: DatabaseMigration, { cache, kube }: Pick<GatherDeps, "cache" | "kube">): Promise<Changes> {
    const key = sourceKey(owner);
    if (key === undefined) return judged(owner.spec.migrations ?? []);
    const source = cache(CONFIG_MAP, "all").get(key);
    if (!source) return { problem: { reason: "SourceMissing", message: `ConfigMap "${key}" does not exist` } };
    const version = sourceOf(source);
    const known = this.#known.get(version) ?? changesIn(await kube.get(CONFIG_MAP, source.metadata));
    this.#known.set(version, known);
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.keys().next().value!);
    return known;
  }
}

function changesIn({ data = {}, binaryData = {}, metadata }: KubeObject): Changes {
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
function judged(migrations: readonly Migration[]): Changes {
  const [first] = changeProblems(migrations);
  if (!first) return { changes: changesOf(migrations) };
  const { version } = migrations[first.index]!;
  return {
    problem: { reason: "InvalidMigrations", message: `Version "${version}": ${first.field}: ${first.message}` },
  };
}
