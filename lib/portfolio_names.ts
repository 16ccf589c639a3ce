/**
 * Names that follow from a PortfolioApp (SPEC section 6). Pure; shared by the controller and by admission, which must
 * agree.
 *
 * @module
 */
import { generate } from "./naming.ts";

/** Index over PortfolioApps by {@link hostKey} of their hosts. */
export const BY_APP_HOST = "app-host";

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

/** How hosts are told apart across kinds: without the domain that they share, ending with a dot; others as they are. */
export function hostKey(host: string, domain: string): string {
  return host.endsWith(`.${domain}`) ? host.slice(0, -domain.length) : host;
}

/** The {@link hostKey} of an application's host. */
export function appHostKey(app: AppIdentity, domain: string): string | undefined {
  const host = appHost(app, domain);
  return host === undefined ? undefined : hostKey(host, domain);
}

/** Name of a child, at most 63 characters. */
export function appChild(app: Pick<AppIdentity, "metadata">, part: string): string {
  return generate(app.metadata.name, part);
}
