/**
 * Takes annotations from a rendering that claim hosts beside the environment's own or write into the configuration of
 * an ingress controller, which serves others, too. Pure.
 *
 * @see https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
 * @see https://kubernetes-sigs.github.io/external-dns/latest/docs/annotations/annotations/
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { isIngress } from "./inject_host.ts";
import { groupOf, titleOf } from "./pod_templates.ts";
import type { RenderedObject, Rendering, RenderWarning } from "./renderer.ts";

/** Annotations were left out that claim hosts or write configuration. */
export const ANNOTATIONS_LEFT_OUT = "AnnotationsLeftOut";

const CLAIM =
  /^(?:nginx\.ingress\.kubernetes\.io\/(?:server-alias|.*-snippet)|external-dns\.alpha\.kubernetes\.io\/.*)$/;

/** The rendering without such annotations on Ingresses and Services, each object with a warning that names them. */
export function withoutHostClaims(rendering: Rendering): Rendering {
  const warnings: RenderWarning[] = [];
  const objects = rendering.objects.map((item) => {
    const claims = claimsOf(item.object);
    if (claims.length === 0) return item;
    warnings.push(warningOf(item, claims));
    return { ...item, object: without(item.object, claims) };
  });
  return warnings.length === 0 ? rendering : { ...rendering, objects, warnings: [...rendering.warnings, ...warnings] };
}

function claimsOf(object: KubeObject): string[] {
  const isService = object.kind === "Service" && groupOf(object) === "";
  if (!isService && !isIngress(object)) return [];
  return Object.keys(object.metadata.annotations ?? {}).filter((name) => CLAIM.test(name));
}

function without(object: KubeObject, names: readonly string[]): KubeObject {
  const kept = Object.entries(object.metadata.annotations ?? {}).filter(([name]) => !names.includes(name));
  return { ...object, metadata: { ...object.metadata, annotations: Object.fromEntries(kept) } };
}

function warningOf({ source, object }: RenderedObject, names: readonly string[]): RenderWarning {
  const message = `${titleOf(object)}: Left out ${names.join(", ")}: an environment has one host, and may not change ` +
    "how an ingress controller or a DNS zone is configured";
  return { reason: ANNOTATIONS_LEFT_OUT, message, file: source };
}
