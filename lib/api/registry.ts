/**
 * The kinds that Maquette runs.
 *
 * @module
 */
import { DATABASE_MIGRATION } from "./database_migration.ts";
import { ENVIRONMENT } from "./environment.ts";
import type { KindDefinition } from "./kind.ts";
import { PORTFOLIO_APP } from "./portfolio_app.ts";
import { PREVIEW_ENVIRONMENT } from "./preview_environment.ts";
import { PRINTER } from "./printer.ts";
import { PROJECT } from "./project.ts";

/** All kinds, in the order of the documentation. */
export const KINDS: readonly KindDefinition[] = Object.freeze([
  PREVIEW_ENVIRONMENT,
  PRINTER,
  PROJECT,
  ENVIRONMENT,
  PORTFOLIO_APP,
  DATABASE_MIGRATION,
]);

/** The kind that an object says it is of, by group and kind in whatever version; undefined when it is not ours. */
export function kindOf(object: { apiVersion?: unknown; kind?: unknown }): KindDefinition | undefined {
  const group = String(object.apiVersion ?? "").split("/")[0];
  return KINDS.find(({ resource }) => resource.group === group && resource.kind === object.kind);
}
