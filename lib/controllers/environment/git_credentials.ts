/**
 * The content of a Secret as credentials for a git repository. Pure.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { gitHostsText, isForHost } from "../../api/git_host.ts";
import type { KubeObject } from "../../api/object.ts";
import { RenderError } from "../../render/render_error.ts";
import type { FetchCredentials } from "../../render/renderer.ts";
import { repositoryHost } from "../../render/repository_host.ts";
import { nameOf } from "../../runtime/status.ts";

/** The repository is elsewhere than where its login may be sent. */
export const LOGIN_REFUSED = "LoginRefused";

/** Keys of Secrets (`kubernetes.io/basic-auth`, `kubernetes.io/ssh-auth`, and what Flux and Argo CD users have). */
const KEYS: Readonly<Record<Exclude<keyof FetchCredentials, "host">, readonly string[]>> = {
  username: ["username"],
  password: ["password"],
  token: ["token"],
  sshPrivateKey: ["ssh-privatekey", "identity"],
  knownHosts: ["known_hosts"],
  caBundle: ["ca.crt", "caFile"],
};

/**
 * The credentials, for the repository's own host only.
 *
 * @throws {RenderError} Where the URL has no host, or the Secret is for others.
 */
export function gitCredentials(secret: KubeObject, repositoryUrl: string): FetchCredentials {
  const host = repositoryHost(repositoryUrl);
  if (host === undefined) throw new RenderError("InvalidUrl", "Repository has no host that credentials could be for");
  if (!isForHost(secret, host)) {
    throw new RenderError(LOGIN_REFUSED, `${nameOf(secret)} is ${gitHostsText(secret)}: it is not sent to "${host}"`);
  }
  const data: Record<string, string> = secret.data ?? {};
  const found = Object.entries(KEYS).flatMap(([field, keys]) => {
    const value = keys.map((key) => data[key]).find((each) => each !== undefined);
    return value === undefined ? [] : [[field, decoded(value)]];
  });
  return { host, ...Object.fromEntries(found) };
}

function decoded(value: string): string {
  return Buffer.from(value, "base64").toString();
}
