/**
 * What an Environment would deploy, rendered from a folder of this machine instead of a commit, for `plan`.
 *
 * @module
 */
import type { Environment } from "../lib/api/environment.ts";
import { keyOf, type KubeObject } from "../lib/api/object.ts";
import type { Config } from "../lib/config.ts";
import { fullHostOf } from "../lib/controllers/environment/checks.ts";
import { desiredObjects, ingressChoice, reservedNames } from "../lib/controllers/environment/desired.ts";
import type { Seen } from "../lib/controllers/environment/gather.ts";
import {
  type Prepared,
  prepared,
  type RenderingInput,
  renderRequest,
} from "../lib/controllers/environment/rendering.ts";
import { normalForm } from "../lib/deploy/normal_form.ts";
import { marked } from "../lib/deploy/wanted.ts";
import { environmentNamespace } from "../lib/environment_names.ts";
import { ProcessRenderer } from "../lib/render/process_renderer.ts";
import type { Renderer } from "../lib/render/renderer.ts";
import { systemClock } from "../lib/runtime/clock.ts";
import { stamp } from "../lib/runtime/ownership.ts";

/** Of a plan: charts see a recent cluster. */
const KUBE_VERSION = "v1.34.0";
const NO_COMMIT = "0".repeat(40);

/** What a source is planned with. */
export interface SourcePlan {
  /** Absolute path of the folder that stands for the repository. */
  folder: string;
  renderer: Renderer;
}

/** The renderer that the configuration names. */
export function planRenderer(config: Config): Renderer {
  return new ProcessRenderer({ path: config.renderer, clock: systemClock });
}

/**
 * Everything that an Environment would make, what is deployed last.
 *
 * @param seen What the environment's own objects follow from.
 * @throws {RenderError} Where the source cannot be rendered. @throws {Error} Where it may not be deployed.
 */
export async function plannedFromSource(seen: Seen, { folder, renderer }: SourcePlan): Promise<KubeObject[]> {
  const { owner } = seen;
  const input = inputOf(seen);
  const value = prepared(await renderer.render(renderRequest(input, folder)), input);
  if (value.refused.length > 0) throw new Error(value.refused.map(({ message }) => message).join("\n"));
  const full: Seen = { ...seen, rendering: { is: "found", value } };
  const own = desiredObjects(full, ingressChoice(full)).map((object) => stamp(object, owner));
  return [...own, ...deployedObjects(value, owner)];
}

function inputOf(seen: Seen): RenderingInput {
  const { owner, project, settings } = seen;
  if (!project) throw new Error(`Environment "${keyOf(owner)}": its Project is not in the file`);
  const host = fullHostOf(seen);
  const commit = owner.spec.source.commitSha ?? NO_COMMIT;
  const { build } = project.spec;
  const image = build ? { image: { repository: build.image, tag: commit } } : {};
  return { owner, project, settings, commit, host, kubeVersion: KUBE_VERSION, reserved: reservedNames(seen), ...image };
}

function deployedObjects({ objects, hooks }: Prepared, owner: Environment): KubeObject[] {
  const namespace = environmentNamespace(owner);
  return [...objects, ...hooks.map(({ object }) => object)].map((object) =>
    marked(normalForm(object, namespace), owner)
  );
}
