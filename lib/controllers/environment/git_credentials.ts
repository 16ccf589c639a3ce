/**
 * The content of a Secret as credentials for a git repository. Pure.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { KubeObject } from "../../api/object.ts";
import type { FetchCredentials } from "../../render/renderer.ts";
import { repositoryHost } from "../../render/repository_host.ts";

/** Keys of Secrets (`kubernetes.io/basic-auth`, `kubernetes.io/ssh-auth`, and what Flux and Argo CD users have). */
const KEYS: Readonly<Record<Exclude<keyof FetchCredentials, "host">, readonly string[]>> = {
  username: ["username"],
  password: ["password"],
  token: ["token"],
  sshPrivateKey: ["ssh-privatekey", "identity"],
  knownHosts: ["known_hosts"],
  caBundle: ["ca.crt", "caFile"],
};

/** The credentials, for the repository's own host only; nothing where the URL has none. */
export function gitCredentials(secret: KubeObject, repositoryUrl: string): FetchCredentials | undefined {
  const host = repositoryHost(repositoryUrl);
  if (host === undefined) return undefined;
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
