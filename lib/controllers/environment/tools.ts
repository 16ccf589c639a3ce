/**
 * What the controller of Environments works with beside the API server; one set for all environments. A double of each
 * can stand in its place.
 *
 * @module
 */
import type { DeployDeps } from "../../deploy/deployment.ts";
import type { InspectedImage, Registry } from "../../registry/registry.ts";
import type { Fetched, FetchRequest, Renderer } from "../../render/renderer.ts";
import type { Lister } from "../../runtime/definition.ts";
import type { Checkouts } from "./checkouts.ts";
import type { EndedBuilds } from "./ended_builds.ts";
import type { LatestLookups } from "./latest_lookups.ts";
import type { SteadyLookups } from "./steady_lookups.ts";

/** See the module. */
export interface EnvironmentTools {
  renderer: Renderer;
  /** How sources are fetched, whoever they are for. */
  fetching: Pick<FetchRequest, "cacheDir" | "allowedSchemes" | "network" | "limits">;
  registry: Registry;
  /** `v1.36.3` */
  kubeVersion(): Promise<string>;
  deploying: Omit<DeployDeps, "kube" | "now">;
  checkouts: Checkouts;
  /** All Projects, with the indexes of their kind. */
  projects: Lister;
  /** Commits by repository, ref and credentials. */
  sources: SteadyLookups<Fetched>;
  endedBuilds: EndedBuilds;
  /** What the registry says of images that are to be built. */
  images: SteadyLookups<InspectedImage>;
  /** Versions of the cluster: one. */
  versions: SteadyLookups<string>;
  /** `Prepared` as JSON, which is smaller than objects. */
  renderings: LatestLookups<string>;
}
