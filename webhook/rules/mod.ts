/**
 * The admission rules of all kinds. What is served, registered with the API server and asked by `maquette check`
 * follows from this list.
 *
 * @module
 */
import type { AdmissionRules } from "./admission_rules.ts";
import { DATABASE_MIGRATION_RULES } from "./database_migration.ts";
import { ENVIRONMENT_RULES } from "./environment.ts";
import { PORTFOLIO_APP_RULES } from "./portfolio_app.ts";
import { PREVIEW_ENVIRONMENT_RULES } from "./preview_environment.ts";
import { PRINTER_RULES } from "./printer.ts";
import { PROJECT_RULES } from "./project.ts";

export type { AdmissionConfig, AdmissionContext, AdmissionRules, NamespaceOwner, Tenants } from "./admission_rules.ts";
export { NO_TENANTS } from "./admission_rules.ts";

/** In the order of the documentation. */
export const ALL_RULES: readonly AdmissionRules[] = Object.freeze([
  PREVIEW_ENVIRONMENT_RULES,
  PRINTER_RULES,
  PROJECT_RULES,
  ENVIRONMENT_RULES,
  PORTFOLIO_APP_RULES,
  DATABASE_MIGRATION_RULES,
]);
