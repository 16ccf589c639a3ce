/**
 * Everything that an installation consists of, in the order in which it can be applied. Pure.
 *
 * @module
 */
import { crdOf } from "../../crds/crd.ts";
import type { KubeObject } from "../../lib/api/object.ts";
import { KINDS } from "../../lib/api/registry.ts";
import type { Config } from "../../lib/config.ts";
import { VERSION } from "../../lib/version.ts";
import { createControllers } from "../controllers.ts";
import { boundaryObjects } from "./boundary.ts";
import { fenceObjects } from "./fence.ts";
import { rbacObjects } from "./rbac.ts";
import { webhookObjects } from "./webhooks.ts";
import { namespaceObject, workloadObjects } from "./workload.ts";

/** Image of a release; `--image` names another. */
export const DEFAULT_IMAGE = `maquette:${VERSION}`;
/** Enough that one can go while the other serves admission. */
export const DEFAULT_REPLICAS = 2;

/** The parts of an installation, by the file of the kustomize base that holds them. */
export function installation(options: { config: Config; image: string; replicas: number }): Map<string, KubeObject[]> {
  const { config } = options;
  const definitions = createControllers(config);
  const permissions = definitions.flatMap((definition) => definition.permissions);
  return new Map([
    ["namespace", [namespaceObject(config.namespace)]],
    ["crds", KINDS.map(crdOf)],
    ["rbac", rbacObjects(config, permissions)],
    ["fence", config.leaderElection ? fenceObjects(config.namespace, definitions) : []],
    ["boundary", boundaryObjects()],
    ["operator", workloadObjects(options)],
    ["webhooks", config.webhook ? webhookObjects(config) : []],
  ]);
}
