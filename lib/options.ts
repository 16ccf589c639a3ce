/**
 * Every option of the program: how it is read, what it is when nobody says, and what `--help` says. The source of the
 * README's table and of the container's arguments.
 *
 * @module
 */
import { z } from "zod";
import { cidr, flag, image, label, list, mirror, number, registryEntry, word } from "./option_values.ts";
import { LOG_LEVELS } from "./runtime/log.ts";

const MAX_PORT = 65_535;
/** The API's shortest and the schema's longest TTL in seconds (SPEC section 3). */
const TTL_BOUNDS = [60, 315_360_000] as const;

const DOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const ISSUER = /^((Cluster)?Issuer\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$/;
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const ttl = z.union([z.literal("0").transform(() => 0), number(...TTL_BOUNDS)], {
  error: `must be 0 or a whole number from ${TTL_BOUNDS[0]} to ${TTL_BOUNDS[1]}`,
});

/** One option: how it is read, what it is when nobody says, and what `--help` says. */
export interface Option {
  group:
    | "Cluster"
    | "Previews"
    | "Environments"
    | "Builds"
    | "Applications"
    | "Images"
    | "Printers"
    | "Migrations"
    | "Webhook"
    | "Process";
  schema: z.ZodType;
  default: string;
  help: string;
}

function option<S extends z.ZodType>(
  group: Option["group"],
  schema: S,
  text: { default: string; help: string },
): Option & { schema: S } {
  return { group, schema, ...text };
}

/** Every option by its flag. The environment variable is the flag in capitals: `--log-level`, `MAQUETTE_LOG_LEVEL`. */
export const OPTIONS = Object.freeze({
  "kubeconfig": option("Cluster", z.string(), {
    default: "",
    help: "Kubeconfig file. Empty: the Pod's service account, else $KUBECONFIG, else ~/.kube/config",
  }),
  "context": option("Cluster", z.string(), { default: "", help: "Context in the kubeconfig. Empty: its current one" }),
  "namespace": option("Cluster", label(), {
    default: "maquette-system",
    help: "Namespace of the operator: its lease, certificates and the wildcard Secret",
  }),
  "domain": option("Previews", word(DOMAIN, "must be a domain such as preview.example.com"), {
    default: "preview.localhost",
    help: "Previews are reached at pr-N.<domain>",
  }),
  "ingress-class": option("Previews", word(NAME, "must be the name of an IngressClass"), {
    default: "nginx",
    help: "IngressClass of previews",
  }),
  "ingress-namespace": option("Previews", label(), {
    default: "ingress-nginx",
    help: "Namespace of the ingress controller, from which alone previews are reached",
  }),
  "tls": option("Previews", z.enum(["cert-manager", "wildcard", "none"], "must be cert-manager, wildcard or none"), {
    default: "cert-manager",
    help: "Certificates: one per preview by cert-manager, one wildcard Secret, or none (plain HTTP)",
  }),
  "cluster-issuer": option("Previews", word(NAME, "must be the name of a ClusterIssuer"), {
    default: "letsencrypt",
    help: "ClusterIssuer of cert-manager",
  }),
  "wildcard-secret": option("Previews", word(NAME, "must be the name of a Secret"), {
    default: "preview-wildcard-tls",
    help: "TLS Secret in the operator's namespace, with --tls wildcard",
  }),
  "cluster-ranges": option("Previews", list(cidr()), {
    default: "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7",
    help: "Networks that previews, Environments, builds and fetches of sources must not reach",
  }),
  "default-ttl-seconds": option("Previews", ttl, {
    default: "86400",
    help: "TTL of a preview that names none. 0: it lives until it is deleted",
  }),
  "max-ttl-seconds": option("Previews", number(...TTL_BOUNDS), {
    default: "604800",
    help: "Longest TTL and extension; more is cut down to it",
  }),
  "progress-deadline-seconds": option("Previews", number(10, 86_400), {
    default: "120",
    help: "Without progress for so long, a rollout is called stuck",
  }),
  "reserved-namespaces": option(
    "Previews",
    list(word(/^[a-z0-9][-a-z0-9]*\*?$/, "must be namespaces, a * at the end is allowed")),
    {
      default: "",
      help: "Namespaces that are never targets, beside default, kube-* and the operator's own",
    },
  ),
  "per-pr-metrics": option("Previews", flag(), {
    default: "true",
    help: "Whether metrics carry the labels branch_name and pr_number",
  }),
  "reachable-ranges": option("Environments", list(cidr()), {
    default: "",
    help: "Networks of --cluster-ranges that Environments, and fetches of their sources, may reach nevertheless",
  }),
  "renderer": option("Environments", z.string().min(1, "must be a program"), {
    default: "maquette-render",
    help: "Program that fetches and renders sources; its folder must be in $PATH",
  }),
  "source-cache": option("Environments", word(/^\//, "must be an absolute path"), {
    default: "/tmp/maquette-sources",
    help: "Folder for checkouts",
  }),
  "source-cache-mebibytes": option("Environments", number(64, 1_048_576), {
    default: "1024",
    help: "Size that checkouts may have together",
  }),
  "git-allow-loopback": option("Environments", flag(), {
    default: "false",
    help: "Whether sources may come from this machine; for tests",
  }),
  "registry-mirrors": option("Builds", list(mirror()), {
    default: "",
    help: "REGISTRY=MIRROR pairs; mirrors are asked before their registries",
  }),
  "registry-ca-file": option("Builds", z.string(), {
    default: "",
    help: "File of authorities (PEM) that registries and git servers are trusted by, beside the system's",
  }),
  "build-buildkit-image": option("Builds", image(), {
    default: "moby/buildkit:v0.25.2-rootless",
    help: "Image that builds with BuildKit, rootless",
  }),
  "build-kaniko-image": option("Builds", image(), {
    default: "gcr.io/kaniko-project/executor:v1.24.0",
    help: "Image that builds with Kaniko",
  }),
  "build-git-image": option("Builds", image(), {
    default: "alpine/git:2.49.1",
    help: "Image that fetches the source for Kaniko",
  }),
  "build-seccomp-profile": option("Builds", z.string(), {
    default: "",
    help: "Seccomp profile of BuildKit below the kubelet's folder. Empty: the node's default",
  }),
  "build-apparmor-profile": option("Builds", z.string(), {
    default: "",
    help: "AppArmor profile of BuildKit on the nodes. Empty: the node's default",
  }),
  "build-allowed-ranges": option("Builds", list(cidr()), {
    default: "",
    help:
      "Networks of --cluster-ranges that builds, and fetches of sources, may reach: of the registry and the git server",
  }),
  "backup-image": option("Applications", image(), {
    default: "docker.io/library/postgres:18.1",
    help: "Image of backups; it needs sh, GNU tar, gzip, sha256sum, pg_dump, pg_restore and psql",
  }),
  "backup-store-image": option("Applications", image(), {
    default: "docker.io/curlimages/curl:8.17.0",
    help: "Image that takes backups to S3 and back; it needs sh, curl and sha256sum",
  }),
  "allowed-registries": option("Images", list(registryEntry()), {
    default: "",
    help: "Registries (or registry/path) that images may come from. Empty: all",
  }),
  "denied-registries": option("Images", list(registryEntry()), {
    default: "",
    help: "Registries that images may not come from",
  }),
  "allow-latest": option("Images", flag(), { default: "false", help: "Whether the tag latest is allowed" }),
  "require-digest": option("Images", flag(), { default: "false", help: "Whether images must name a digest" }),
  "check-images": option("Images", flag(), {
    default: "false",
    help: "Whether admission asks the registry if the image exists (2 s at most, anonymous)",
  }),
  "insecure-registries": option("Images", list(word(/^[^/\s]+$/, "must be hosts, with a port where needed")), {
    default: "",
    help: "Registries that are asked by plain HTTP",
  }),
  "printer-image": option("Printers", image(), {
    default: "busybox:1.37.0",
    help: "Image that Printers print with, unless they name one",
  }),
  "flyway-image": option("Migrations", image(), {
    default: "flyway/flyway:10.22",
    help: "Image that runs Flyway for DatabaseMigrations, unless they name one",
  }),
  "liquibase-image": option("Migrations", image(), {
    default: "liquibase/liquibase:4.31.1",
    help: "Image that runs Liquibase for DatabaseMigrations, unless they name one",
  }),
  "webhook": option("Webhook", flag(), { default: "true", help: "Whether admission is served" }),
  "webhook-host": option("Webhook", z.string().min(1, "must be an address"), {
    default: "0.0.0.0",
    help: "Address that admission listens on",
  }),
  "webhook-port": option("Webhook", number(0, MAX_PORT), {
    default: "9443",
    help: "Port of admission (TLS). 0: any free one",
  }),
  "webhook-service": option("Webhook", label(), {
    default: "maquette-webhook",
    help: "Service that leads to admission",
  }),
  "webhook-url": option(
    "Webhook",
    z.union([z.literal(""), z.url({ protocol: /^https$/, error: "must be an https URL" })]),
    {
      default: "",
      help: "Where the API server reaches admission outside the cluster, instead of the Service",
    },
  ),
  "webhook-certificates": option("Webhook", z.enum(["own", "cert-manager"], "must be own or cert-manager"), {
    default: "own",
    help: "Who makes and renews the certificate of admission: the program itself, or cert-manager",
  }),
  "webhook-certificate-seconds": option("Webhook", number(60, 31_536_000), {
    default: "2592000",
    help: "How long that certificate lives; it is renewed after two thirds. With cert-manager at least 3600",
  }),
  "webhook-issuer": option("Webhook", word(ISSUER, "must be Issuer/name or ClusterIssuer/name"), {
    default: "",
    help: "cert-manager's issuer of that certificate. Empty: an authority of its own is installed",
  }),
  "webhook-drain-seconds": option("Webhook", number(0, 15), {
    default: "4",
    help: "How long admission is served on after SIGTERM, and longer while requests come. 0: not at all",
  }),
  "http-host": option("Process", z.string().min(1, "must be an address"), {
    default: "0.0.0.0",
    help: "Address of /healthz, /readyz and /metrics",
  }),
  "http-port": option("Process", number(0, MAX_PORT), { default: "8080", help: "Their port. 0: any free one" }),
  "workers": option("Process", number(1, 256), { default: "16", help: "Reconciles at once, per kind" }),
  "leader-election": option("Process", flag(), { default: "true", help: "Whether one of several replicas reconciles" }),
  "cleanup-deadline-seconds": option("Process", number(1, 86_400), {
    default: "30",
    help: "A deletion that takes longer is called stuck, naming what blocks it",
  }),
  "verify-interval-seconds": option("Process", number(1, 86_400), {
    default: "1800",
    help: "A second list is compared with the cache so often",
  }),
  "log-level": option("Process", z.enum(LOG_LEVELS, `must be ${LOG_LEVELS.join(", ")}`), {
    default: "info",
    help: "debug, info, warn or error",
  }),
  "log-format": option("Process", z.enum(["json", "text"], "must be json or text"), {
    default: "json",
    help: "json or text",
  }),
});
