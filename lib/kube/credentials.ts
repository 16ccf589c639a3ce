/**
 * Where the API server is and who we are there: from a kubeconfig, or from the service account of the Pod we run in.
 *
 * @module
 */
import { parse } from "yaml";

/** How to reach one API server. PEM texts; the token is asked for at every request, because it changes. */
export interface Credentials {
  readonly server: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: () => Promise<string>;
  /** Namespace of the context or of the Pod. */
  readonly namespace?: string;
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
/** As client-go does: the kubelet replaces a token when a fifth of its life is left, which is minutes at least. */
const TOKEN_AGE_MS = 60_000;

/**
 * The service account of the Pod we run in.
 *
 * @param address `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`.
 * @param options.folder Where the token is mounted; the kubelet replaces it before it runs out.
 * @throws {Deno.errors.NotFound} When no token is mounted.
 */
export async function inClusterCredentials(
  address: { host: string; port: string },
  { folder = SERVICE_ACCOUNT, now }: { folder?: string; now?: Now } = {},
): Promise<Credentials> {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return {
    server: `https://${host}:${address.port}`,
    ca: await Deno.readTextFile(`${folder}/ca.crt`),
    namespace: (await Deno.readTextFile(`${folder}/namespace`)).trim(),
    token: tokenIn(`${folder}/token`, now),
  };
}

interface Named {
  name: string;
}
interface Kubeconfig {
  "current-context"?: string;
  contexts?: (Named & { context: { cluster: string; user: string; namespace?: string } })[];
  clusters?: (Named & { cluster: Record<string, string | boolean | undefined> })[];
  users?: (Named & { user?: Record<string, unknown> })[];
}

/**
 * Credentials of one context of a kubeconfig file: client certificate, token or token file.
 *
 * @param path File; names inside it are relative to its folder.
 * @param options.context Context name; the file's current one when left out.
 * @throws {Error} When the context is missing or needs what this binary may not do (running a plugin, skipping TLS).
 */
export async function kubeconfigCredentials(
  path: string,
  { context, now }: { context?: string; now?: Now } = {},
): Promise<Credentials> {
  const config = (parse(await Deno.readTextFile(path)) ?? {}) as Kubeconfig;
  const wanted = context ?? config["current-context"];
  const chosen = config.contexts?.find((entry) => entry.name === wanted)?.context;
  if (!chosen) throw new Error(`Cannot use kubeconfig "${path}": no context "${wanted ?? ""}"`);
  const cluster = config.clusters?.find((entry) => entry.name === chosen.cluster)?.cluster;
  const user = config.users?.find((entry) => entry.name === chosen.user)?.user ?? {};
  if (typeof cluster?.server !== "string") throw new Error(`Cannot use kubeconfig "${path}": context has no server`);
  if (cluster["insecure-skip-tls-verify"]) {
    throw new Error(`Cannot use kubeconfig "${path}": insecure-skip-tls-verify is not supported, give the CA instead`);
  }
  if (user.exec || user["auth-provider"]) {
    throw new Error(`Cannot use kubeconfig "${path}": credential plugins are not supported, use a token instead`);
  }
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
  return {
    server: cluster.server.replace(/\/$/, ""),
    ca: await dataOrFile(cluster, "certificate-authority", folder),
    cert: await dataOrFile(user, "client-certificate", folder),
    key: await dataOrFile(user, "client-key", folder),
    token: tokenOf(user, folder, now),
    namespace: chosen.namespace,
  };
}

async function dataOrFile(entry: Record<string, unknown>, field: string, folder: string): Promise<string | undefined> {
  const data = entry[`${field}-data`];
  if (typeof data === "string") return atob(data);
  const file = entry[field];
  return typeof file === "string" ? await Deno.readTextFile(resolve(file, folder)) : undefined;
}

function tokenOf(user: Record<string, unknown>, folder: string, now?: Now): (() => Promise<string>) | undefined {
  const { token, tokenFile } = user;
  if (typeof token === "string") return () => Promise.resolve(token);
  if (typeof tokenFile !== "string") return undefined;
  return tokenIn(resolve(tokenFile, folder), now);
}

/** Milliseconds since some moment in the past. */
type Now = () => number;

/** The token in a file, which is read anew when what was read is a minute old; without a clock each time. */
function tokenIn(path: string, now: Now = () => Infinity): () => Promise<string> {
  let known: { token: Promise<string>; readAt: number } | undefined;
  return () => {
    if (known && now() - known.readAt < TOKEN_AGE_MS) return known.token;
    const read = { token: Deno.readTextFile(path).then((text) => text.trim()), readAt: now() };
    known = read;
    read.token.catch(() => {
      if (known === read) known = undefined;
    });
    return read.token;
  };
}

function resolve(file: string, folder: string): string {
  return file.startsWith("/") ? file : `${folder}/${file}`;
}
