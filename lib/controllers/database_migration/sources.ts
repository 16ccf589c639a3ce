/**
 * Reads the changes that an object asks for. A ConfigMap is read once for each of its versions, because no cache holds its
 * content.
 *
 * @module
 */
import type { DatabaseMigration } from "../../api/database_migration.ts";
import { CONFIG_MAP } from "../../api/resources.ts";
import { type Changes, changesIn, judged } from "../../migration/source.ts";
import { sourceOf } from "../../runtime/copies.ts";
import type { GatherDeps } from "../../runtime/definition.ts";

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
