/**
 * Where a login for git may be sent. Who may change a Project names both its repository and the Secret that opens it,
 * and need not be somebody who may read the Secret: so the Secret itself can say whom it is for. Pure.
 *
 * @module
 */
import { ANNOTATION_GIT_HOST } from "./names.ts";
import type { KubeObject } from "./object.ts";

type Marked = Pick<KubeObject, "metadata">;

/** The only hosts that a Secret is for, in lower case; nothing where it does not say. */
export function gitHosts({ metadata }: Marked): string[] | undefined {
  const hosts = metadata.annotations?.[ANNOTATION_GIT_HOST]?.split(",").map((host) => host.trim().toLowerCase());
  return hosts?.filter((host) => host !== "");
}

/** Whether a Secret is for a host, which is compared with its port where it has one. @param host `github.com` */
export function isForHost(secret: Marked, host: string): boolean {
  return gitHosts(secret)?.includes(host.toLowerCase()) ?? true;
}

/** For people, of a Secret that says so: `for git at "github.com" only (annotation …)`. */
export function gitHostsText(secret: Marked): string {
  const hosts = gitHosts(secret) ?? [];
  const where = hosts.length > 0 ? hosts.map((host) => `"${host}"`).join(", ") : "no host";
  return `for git at ${where} only (annotation "${ANNOTATION_GIT_HOST}")`;
}
