/**
 * An environment's deployment, as lib/deploy takes it, and what it came to.
 *
 * @module
 */
import { ANNOTATION_PAUSED } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import { deploy, type DeploymentRequest } from "../../deploy/deployment.ts";
import { environmentNamespace } from "../../environment_names.ts";
import type { KubeClient } from "../../kube/client.ts";
import { withSecretsDigest } from "../../render/inject_secrets.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Stalled, Waiting } from "../../runtime/errors.ts";
import type { Performed } from "./gather.ts";
import { type Kept, type Prepared, type RenderingInput, revisionOf } from "./rendering.ts";
import { DEPLOYER } from "./target_namespace.ts";
import type { EnvironmentTools } from "./tools.ts";

/** API servers know of a permission that is this old. */
const NEWCOMER_MS = 10_000;

/** A deployment, and the rendering that it is of. */
export interface Further {
  request: DeploymentRequest;
  kept: Kept;
}

/** What is deployed follows from this, beside the commit. */
export interface Deployable extends Pick<Prepared, "objects" | "hooks"> {
  /** Of {@link withSecretsDigest}. A revision is the same with other Secrets: its hooks do not run again for them. */
  marks: ReadonlyMap<string, string>;
  /** What gives the account its permissions. */
  binding: KubeObject | undefined;
}

/** @param now Milliseconds since the epoch. */
export function deploymentRequest(
  input: RenderingInput,
  { objects, hooks, marks, binding }: Deployable,
  now: number,
): DeploymentRequest {
  const { owner } = input;
  const { deployed = [], revision } = owner.status ?? {};
  const boundAt = Date.parse(binding?.metadata.creationTimestamp ?? "");
  return {
    owner,
    namespace: environmentNamespace(owner),
    account: DEPLOYER,
    isNewcomer: !(now - boundAt > NEWCOMER_MS),
    isPaused: owner.metadata.annotations?.[ANNOTATION_PAUSED] === "true",
    revision: revisionOf(input),
    ...(revision === undefined ? {} : { deployed: revision }),
    objects: objects.map((object) => withSecretsDigest(object, marks)),
    hooks,
    inventory: deployed,
  };
}

/** One step of the deployment. @throws {KubeError} What another try may mend. */
export async function performed(
  { request, kept }: Further,
  tools: EnvironmentTools,
  { kube, clock }: { kube: KubeClient; clock: Clock },
): Promise<Performed> {
  const { revision } = request;
  try {
    return { revision, kept, report: await deploy(request, { ...tools.deploying, kube, now: () => clock.now() }) };
  } catch (error) {
    if (error instanceof Stalled || error instanceof Waiting) return { revision, kept, error };
    throw error;
  }
}
