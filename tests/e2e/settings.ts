/**
 * The cluster that end-to-end tests run on, as the environment describes it. Defaults are those of kind with
 * ingress-nginx on ports 80 and 443 of this machine.
 *
 * @module
 */

/** Where the pieces of a cluster are. */
export interface Settings {
  /** Command that takes the path of an image archive (`docker load` format or OCI) and brings it onto every node. */
  load: readonly string[];
  /** Where the ingress controller answers HTTP. */
  http: Address;
  /** Where the ingress controller answers HTTPS. */
  https: Address;
  ingressClass: string;
  ingressNamespace: string;
  /** ClusterIssuer of cert-manager; empty where cert-manager is not installed. */
  clusterIssuer: string;
  /** Secret (namespace/name) whose `tls.crt` is the authority of that issuer. */
  issuerSecret: string;
  /** Whether the cluster enforces network policies. */
  enforcesPolicies: boolean;
  /** Archive of Maquette's own image. */
  image: string;
  /** Image with `sh` and `git`, whose `git-http-backend` serves repositories. */
  gitImage: string;
  /** Image of PostgreSQL as Docker Hub's is: its server is configured by `POSTGRES_…`, its clients make backups. */
  postgresImage: string;
  /** Root file system (tar) with bash and Java, for images of Flyway and Liquibase; empty where theirs are pulled. */
  javaRoot: string;
  /** Registry without a login, over plain HTTP, that Pods push to and nodes pull from; empty where there is none. */
  registry: string;
  /** Network (CIDR) of that registry, where it is one of the cluster's. */
  registryRange: string;
  /** Flags of `maquette manifests` that builds need on this cluster. */
  buildFlags: readonly string[];
  /** Command that gives the cluster a metrics API and returns when it answers; empty where there is none. */
  metrics: readonly string[];
}

export interface Address {
  hostname: string;
  port: number;
}

/** Whether this run is for a real cluster at all: `E2E=1`. */
export const isEndToEnd = Deno.env.get("E2E") === "1";

/** @throws {Error} When no cluster is named: these tests install and delete, and never guess where. */
export function settings(): Settings {
  if (!Deno.env.get("KUBECONFIG")) throw new Error("E2E is set, but KUBECONFIG is not");
  const read = (name: string, otherwise: string): string => Deno.env.get(name) ?? otherwise;
  return {
    load: read("E2E_LOAD", "kind load image-archive").split(" "),
    http: address(read("E2E_HTTP", "127.0.0.1:80")),
    https: address(read("E2E_HTTPS", "127.0.0.1:443")),
    ingressClass: read("E2E_INGRESS_CLASS", "nginx"),
    ingressNamespace: read("E2E_INGRESS_NAMESPACE", "ingress-nginx"),
    clusterIssuer: read("E2E_CLUSTER_ISSUER", ""),
    issuerSecret: read("E2E_ISSUER_SECRET", "cert-manager/ca"),
    enforcesPolicies: read("E2E_NETWORK_POLICIES", "") === "1",
    gitImage: read("E2E_GIT_IMAGE", "alpine/git:2.49.1"),
    postgresImage: read("E2E_POSTGRES_IMAGE", "postgres:18.1"),
    javaRoot: read("E2E_JAVA_ROOT", ""),
    registry: read("E2E_REGISTRY", ""),
    registryRange: read("E2E_REGISTRY_RANGE", ""),
    buildFlags: read("E2E_BUILD_FLAGS", "").split(" ").filter((flag) => flag !== ""),
    metrics: read("E2E_METRICS", "").split(" ").filter((word) => word !== ""),
    image: read("E2E_IMAGE", new URL("../../dist/maquette-image.tar", import.meta.url).pathname),
  };
}

function address(text: string): Address {
  const colon = text.lastIndexOf(":");
  return { hostname: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}
