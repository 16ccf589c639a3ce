/**
 * Names that follow from a PortfolioApp (SPEC section 6). Pure; shared by the controller and by admission, which must
 * agree.
 *
 * @module
 */
import { generate } from "./naming.ts";

/** What names are made of. */
export interface AppIdentity {
  metadata: { name: string; namespace?: string };
  spec: { ingress?: { enabled?: boolean; host?: string } };
}

/** The host that an application is reached at from outside; undefined where it is not. */
export function appHost({ metadata, spec }: AppIdentity, domain: string): string | undefined {
  if (!spec.ingress?.enabled) return undefined;
  return spec.ingress.host ?? `${generate(metadata.name, metadata.namespace ?? "default")}.${domain}`;
}

/** Name of a child, at most 63 characters. */
export function appChild(app: Pick<AppIdentity, "metadata">, part: string): string {
  return generate(app.metadata.name, part);
}
