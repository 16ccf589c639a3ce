/**
 * What an environment's source renders to, and what is made of it before it is deployed.
 *
 * @module
 */
import { ENVIRONMENT, type Environment } from "../../api/environment.ts";
import type { KindDefinition } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { PREVIEW_ENVIRONMENT } from "../../api/preview_environment.ts";
import { PROJECT, type Project } from "../../api/project.ts";
import { kindOf } from "../../api/registry.ts";
import { environmentNames, environmentNamespace } from "../../environment_names.ts";
import { generate } from "../../naming.ts";
import { withoutHostClaims } from "../../render/host_claims.ts";
import { inject, type Wishes } from "../../render/inject.ts";
import type { KeptApart } from "../../render/kept_apart.ts";
import { type Judging, type RefusedObject, refusedOf } from "../../render/refuse.ts";
import { titleOf } from "../../render/pod_templates.ts";
import type { InjectedImage, Rendering, RenderRequest, RenderWarning } from "../../render/renderer.ts";
import type { Hook } from "../../deploy/hooks.ts";
import { digestOf } from "../../runtime/differs.ts";
import { certificateSecret, issuerAnnotation } from "../../workload/exposure.ts";
import { chartValues } from "./ingress.ts";
import { withoutPolicies } from "./isolation.ts";
import { withPullSecret } from "./pull_secret.ts";
import type { EnvironmentSettings } from "./settings.ts";
import { secretsApart } from "./sources.ts";
import { DEPLOYER } from "./target_namespace.ts";

/** Helm has no longer names of releases. */
const LONGEST_RELEASE = 53;

/** The rendering has an object that would make a namespace of its own. */
export const NESTED = "NestedEnvironment";
/** The rendering has an object of another kind of Maquette's. */
export const OWN_KIND = "OwnKind";
/** Kinds of ours that make namespaces. */
const MAKERS: ReadonlySet<KindDefinition | undefined> = new Set([PREVIEW_ENVIRONMENT, PROJECT, ENVIRONMENT]);

/** What a rendering follows from, beside the checkout. */
export interface RenderingInput {
  owner: Environment;
  project: Project;
  settings: EnvironmentSettings;
  /** In full. */
  commit: string;
  /** The host of the environment, with its domain. */
  host: string;
  /** What was built. */
  image?: InjectedImage;
  /** `v1.36.3` */
  kubeVersion: string;
  /** The environment's own objects, `kind/name`. */
  reserved: ReadonlySet<string>;
}

/** A rendering, ready to be deployed, or why it is not. JSON. */
export interface Prepared {
  objects: KubeObject[];
  hooks: Hook[];
  /** All that no environment may have; where there is any, nothing is deployed. */
  refused: RefusedObject[];
  warnings: RenderWarning[];
}

/** A rendering as it is kept, and what was read from that. */
export interface Kept {
  /** {@link Prepared} as JSON. */
  text: string;
  value: Prepared;
}

/** Reads what is kept. @param before What was read just before: the same is not read again. */
export function readKept(text: string, before?: Kept): Kept {
  return before?.text === text ? before : { text, value: JSON.parse(text) };
}

/** Name of the release of a chart: of the project, because each environment has a namespace of its own. */
export function releaseName(owner: Environment): string {
  return generate(environmentNames(owner).project).slice(0, LONGEST_RELEASE).replace(/-+$/, "");
}

/** The request to the renderer. @param root Path of the checkout. */
export function renderRequest(input: RenderingInput, root: string): RenderRequest {
  const { owner, project, host, image, kubeVersion } = input;
  const { type, path } = project.spec.deployment;
  const namespace = environmentNamespace(owner);
  const place = { root, path };
  switch (type) {
    case "helm": {
      const values = chartValues(project.spec.deployment);
      const release = { releaseName: releaseName(owner), namespace, values, kubeVersion };
      return { ...place, ...release, type, inject: { ...(image ? { image } : {}), host } };
    }
    case "kustomize":
      return { ...place, type, namespace, ...(image ? { inject: { image } } : {}) };
    case "manifest":
      return { ...place, type };
  }
}

/** Two renderings with the same key are the same. */
export function renderingKey(input: RenderingInput): string {
  const judging = [[...input.reserved], [...apartOf(input)]];
  return digestOf([contentOf(input), input.kubeVersion, input.owner.metadata.uid, ...judging]);
}

/** What is deployed, in one word: hooks run once for each. A newer cluster does not make another one. */
export function revisionOf(input: RenderingInput): string {
  return `${input.commit.slice(0, 12)}-${digestOf(contentOf(input))}`;
}

function contentOf(input: RenderingInput): unknown[] {
  const { kubeVersion: _, ...request } = { kubeVersion: "", ...renderRequest(input, "") };
  const { repositoryUrl } = input.project.spec.source;
  return [input.commit, repositoryUrl, request, wishesOf(input), pullSecretOf(input)];
}

/**
 * What is made of a rendering. Pure.
 *
 * @param isNamespaced What the cluster says; left out where none is asked.
 */
export function prepared(
  rendering: Rendering,
  input: RenderingInput,
  isNamespaced?: Judging["isNamespaced"],
): Prepared {
  const namespace = environmentNamespace(input.owner);
  const judging: Judging = { namespace, reserved: input.reserved, apart: apartOf(input), isNamespaced };
  const kept = withoutHostClaims(withoutPolicies(rendering));
  const refused = [...refusedOf(kept, judging), ...ownKinds(kept)];
  const { objects, hooks, warnings } = inject(kept, wishesOf(input));
  const secret = pullSecretOf(input);
  const pulling = (object: KubeObject): KubeObject => secret ? withPullSecret(object, secret) : object;
  return {
    objects: objects.map(({ object }) => pulling(object)),
    hooks: hooks.map(({ object, events, weight, deletePolicies }) => (
      { object: pulling(object), events, weight, deletePolicies }
    )),
    refused,
    warnings,
  };
}

function apartOf({ project, settings }: RenderingInput): KeptApart {
  const account = "give it a ServiceAccount of its own";
  return new Map([[`ServiceAccount/${DEPLOYER}`, account], ...secretsApart(project, settings)]);
}

/** An environment that makes environments would never end; and at run time nothing in it may write any of our kinds. */
function ownKinds({ objects, hooks }: Rendering): RefusedObject[] {
  return [...objects, ...hooks].filter(({ object }) => kindOf(object)).map(({ source, object }) => {
    const isMaker = MAKERS.has(kindOf(object));
    const why = isMaker ? "an environment may not make others" : "Maquette's own kinds are not for environments";
    const message = `${source ? `${source}: ` : ""}${titleOf(object)} is refused: ${why}`;
    return { reason: isMaker ? NESTED : OWN_KIND, message };
  });
}

function wishesOf({ owner, settings, host, image }: RenderingInput): Wishes {
  const { tls, ingressClass } = settings;
  const tlsSecret = certificateSecret(host, tls);
  return {
    ...(image ? { image } : {}),
    env: owner.spec.config?.envVars ?? [],
    ingress: { host, ingressClass, annotations: issuerAnnotation(tls), ...(tlsSecret ? { tlsSecret } : {}) },
  };
}

/** Only what was built is pulled with it. */
function pullSecretOf({ project, image }: RenderingInput): { name: string; repository: string } | undefined {
  const name = project.spec.build?.pushSecretRef?.name;
  return name && image ? { name, repository: image.repository } : undefined;
}
