/**
 * What Environments are made with: the renderer, registries, and the operator's own view of what is deployed.
 *
 * @module
 */
import { PROJECT } from "../lib/api/project.ts";
import type { Config } from "../lib/config.ts";
import { Checkouts } from "../lib/controllers/environment/checkouts.ts";
import { EndedBuilds } from "../lib/controllers/environment/ended_builds.ts";
import { LatestLookups } from "../lib/controllers/environment/latest_lookups.ts";
import { SteadyLookups } from "../lib/controllers/environment/steady_lookups.ts";
import type { EnvironmentTools } from "../lib/controllers/environment/tools.ts";
import { Observer } from "../lib/deploy/observer.ts";
import { Answers } from "../lib/deploy/set_changes.ts";
import { DEPLOYED_NEEDS } from "../lib/deploy/watched_kinds.ts";
import type { KubeClient } from "../lib/kube/client.ts";
import { Discovery } from "../lib/kube/discovery.ts";
import { parseMirrors } from "../lib/registry/endpoints.ts";
import { RegistryError } from "../lib/registry/errors.ts";
import { createRegistry } from "../lib/registry/registry.ts";
import { trustingFetch } from "../lib/registry/trust.ts";
import { FETCH_LIMITS, FETCHES, FETCHES_FROM_ONE_HOST, FETCHES_FROM_STRANGERS } from "../lib/render/bounds.ts";
import { ProcessRenderer } from "../lib/render/process_renderer.ts";
import { hearingOf } from "../lib/render/render_error.ts";
import type { Clock } from "../lib/runtime/clock.ts";
import type { Hearing } from "../lib/runtime/gate.ts";
import type { InformerSet } from "../lib/runtime/informer_set.ts";
import { LogReader } from "../lib/workload/logs.ts";

/** What the tools are made of. */
export interface ToolsDeps {
  config: Config;
  clock: Clock;
  random: () => number;
  kube: KubeClient;
  informers: InformerSet;
  /** PEM. */
  caCertificates: string;
}

const MEBIBYTE = 1024 * 1024;
/** Answers that are kept; more environments than these look some things up again. */
const CAPACITY = 2_000;
const RENDERINGS_BYTES = 64 * MEBIBYTE;
/** Images that are looked up at a time. */
const IMAGES = 8;

/** See the module. */
export function createEnvironmentTools(deps: ToolsDeps): EnvironmentTools {
  const { config, clock, random, kube, informers } = deps;
  const now = (): number => clock.now();
  const renderer = new ProcessRenderer({ path: config.renderer, clock });
  const lookups = { clock, random, capacity: CAPACITY };
  const watched = DEPLOYED_NEEDS.map((need) => informers.need(need));
  return {
    renderer,
    fetching: fetchingOf(config, deps.caCertificates),
    registry: registryOf(deps),
    kubeVersion: () => versionOf(kube),
    deploying: {
      discovery: new Discovery({ kube, now }),
      observer: new Observer({ watched, now }),
      answers: new Answers(),
      logs: new LogReader(),
    },
    checkouts: new Checkouts(renderer, config.sourceCache),
    projects: informers.need({ resource: PROJECT.resource, scope: "all" }).cache,
    endedBuilds: new EndedBuilds(),
    sources: new SteadyLookups({
      ...{ ...lookups, concurrency: 2 * FETCHES, hearing: hearingOf },
      groups: { perGroup: FETCHES_FROM_ONE_HOST, strangers: FETCHES_FROM_STRANGERS },
    }),
    images: new SteadyLookups({
      ...{ ...lookups, concurrency: IMAGES, hearing: hearingOfRegistry },
      groups: { perGroup: IMAGES / 2, strangers: IMAGES - 1 },
    }),
    versions: new SteadyLookups({ ...lookups, concurrency: 1 }),
    // The renderer bounds these: here, those whose source has to be fetched again would keep others out.
    renderings: new LatestLookups({
      ...{ ...lookups, concurrency: CAPACITY, capacityBytes: RENDERINGS_BYTES },
      // Text with any letter beyond Latin-1 takes two bytes for each.
      weigh: (text) => 2 * text.length,
    }),
  };
}

/** Ends all that is looked up. */
export function closeTools({ sources, images, versions, renderings }: EnvironmentTools): void {
  for (const lookups of [sources, images, versions, renderings]) lookups.close();
}

/** How sources are fetched with this configuration. @param caBundle Authorities in PEM, beside the system's. */
export function fetchingOf(config: Config, caBundle: string): EnvironmentTools["fetching"] {
  const { sourceCache, sourceCacheMebibytes, gitAllowLoopback } = config;
  const { clusterRanges, reachableRanges, buildAllowedRanges } = config;
  return {
    cacheDir: sourceCache,
    limits: { ...FETCH_LIMITS, cacheBytes: sourceCacheMebibytes * MEBIBYTE },
    network: {
      // What a tenant's own Pods may not reach is not fetched for them either.
      denied: clusterRanges,
      allowed: [...reachableRanges, ...buildAllowedRanges],
      caBundle,
      ...(gitAllowLoopback ? { allowLoopback: true, allowPlainCredentials: true } : {}),
    },
  };
}

function registryOf({ config, clock, caCertificates }: ToolsDeps): EnvironmentTools["registry"] {
  const { insecureRegistries, registryMirrors } = config;
  const trusting = caCertificates === "" ? fetch : trustingFetch([caCertificates]).fetch;
  return createRegistry({ fetch: trusting, insecureRegistries, mirrors: parseMirrors(registryMirrors), clock });
}

/** What the failure of a look-up says of the registry. */
function hearingOfRegistry(error: unknown): Hearing | undefined {
  if (!(error instanceof RegistryError)) return undefined;
  return error.fault === "unreachable" ? "silent" : "answered";
}

async function versionOf(kube: KubeClient): Promise<string> {
  const { gitVersion } = await kube.request({
    method: "GET",
    path: "/version",
    counts: { verb: "get", resource: "version" },
  }, (response) => response.json());
  return gitVersion;
}
