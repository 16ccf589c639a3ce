/**
 * Names that follow from the spec of a PreviewEnvironment (SPEC section 3). Pure; shared by the controller and by
 * admission, which must agree.
 *
 * @module
 */
import { generate } from "./naming.ts";

/** The fields that names are made of. */
export interface PreviewIdentity {
  pr_number: number;
  repository?: string;
  namespace?: string;
}

/** The namespace of an environment: the explicit one, else a generated one. */
export function targetNamespace(spec: PreviewIdentity): string {
  if (spec.namespace) return spec.namespace;
  const pr = `pr-${spec.pr_number}`;
  return spec.repository ? generate("preview", spec.repository, pr) : `preview-${pr}`;
}

/** The host of an environment: one label below the domain, so that a wildcard certificate covers it. */
export function hostname(spec: PreviewIdentity, domain: string): string {
  const pr = `pr-${spec.pr_number}`;
  return `${spec.repository ? generate(pr, spec.repository) : pr}.${domain}`;
}
