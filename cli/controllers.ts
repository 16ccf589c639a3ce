/**
 * The kinds that this program runs, made from its configuration.
 *
 * @module
 */
import type { Config } from "../lib/config.ts";
import { databaseMigrationController } from "../lib/controllers/database_migration/mod.ts";
import { environmentController } from "../lib/controllers/environment/mod.ts";
import type { EnvironmentTools } from "../lib/controllers/environment/tools.ts";
import { portfolioAppController } from "../lib/controllers/portfolio_app/mod.ts";
import { previewEnvironmentController } from "../lib/controllers/preview_environment/mod.ts";
import type { PreviewMetrics } from "../lib/controllers/preview_environment/metrics.ts";
import { printerController } from "../lib/controllers/printer/mod.ts";
import { projectController } from "../lib/controllers/project/mod.ts";
import type { ControllerDefinition } from "../lib/runtime/definition.ts";
import { appSettings, buildSettings, environmentSettings, migrationSettings, previewSettings } from "./settings.ts";

/** What kinds work with beside the API server; absent where nothing is run. */
export interface ControllerTools {
  previews: PreviewMetrics;
  environments: EnvironmentTools;
  /** Authorities of registries and git servers, in PEM. */
  caCertificates: string;
}

/** All definitions, in the order of the registry. */
export function createControllers(config: Config, tools?: ControllerTools): ControllerDefinition[] {
  const environments = {
    settings: environmentSettings(config),
    builds: buildSettings(config, tools?.caCertificates ?? ""),
    tools: tools?.environments,
  };
  return [
    previewEnvironmentController(previewSettings(config), tools?.previews) as ControllerDefinition,
    printerController({ image: config.printerImage }) as ControllerDefinition,
    projectController() as ControllerDefinition,
    environmentController(environments) as ControllerDefinition,
    portfolioAppController(appSettings(config)) as ControllerDefinition,
    databaseMigrationController(migrationSettings(config)) as ControllerDefinition,
  ];
}
