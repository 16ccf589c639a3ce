/**
 * Configuration: flags over environment (`MAQUETTE_*`) over defaults, checked once at start, then frozen. The table
 * {@link OPTIONS} is the source of `--help`, of the README's table and of the container's arguments. This module is the
 * only reader of the environment.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { z } from "zod";
import { registryEntryProblem } from "./image/policy.ts";
import { parseReference } from "./image/reference.ts";
import { isDnsLabel } from "./naming.ts";
import { isNetwork } from "./network.ts";
import { LOG_LEVELS } from "./runtime/log.ts";

/** Somebody used the program wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const MAX_PORT = 65_535;
/** The API's shortest and the schema's longest TTL in seconds (SPEC section 3). */
const TTL_BOUNDS = [60, 315_360_000] as const;

function word(pattern: RegExp, expected: string): z.ZodString {
  return z.string().regex(pattern, expected);
}

function label(): z.ZodString {
  return z.string().refine(isDnsLabel, "must be a DNS label: at most 63 of a-z, 0-9 and -");
}

function number(least: number, most: number): z.ZodType<number> {
  const message = `must be a whole number from ${least} to ${most}`;
  return z.string().regex(/^\d+$/, message).transform(Number).pipe(z.number().min(least, message).max(most, message));
}

function flag(): z.ZodType<boolean> {
  return z.enum(["true", "false"], "must be true or false").transform((text) => text === "true");
}

function list(item: z.ZodType<string, string>): z.ZodType<string[]> {
  return z.string().transform((text) => text.split(",").map((part) => part.trim()).filter((part) => part !== ""))
    .pipe(z.array(item));
}

function registryEntry(): z.ZodType<string, string> {
  return z.string().superRefine((entry, context) => {
    const problem = registryEntryProblem(entry);
    if (problem) context.addIssue({ code: "custom", message: problem });
  });
}

function cidr(): z.ZodType<string, string> {
  const message = "must be networks such as 10.0.0.0/8 or fd00::/8, without host bits and not all addresses";
  return z.string().refine(isNetwork, message);
}

function image(): z.ZodType<string> {
  return z.string().superRefine((text, context) => {
    const parsed = parseReference(text);
    if (!parsed.ok) context.addIssue({ code: "custom", message: parsed.problem });
  });
}

const DOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const ttl = z.union([z.literal("0").transform(() => 0), number(...TTL_BOUNDS)], {
  error: `must be 0 or a whole number from ${TTL_BOUNDS[0]} to ${TTL_BOUNDS[1]}`,
});

/** One option: how it is read, what it is when nobody says, and what `--help` says. */
export interface Option {
  group: "Cluster" | "Previews" | "Images" | "Printers" | "Webhook" | "Process";
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
    help: "Networks that previews must not reach",
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
  "log-level": option("Process", z.enum(LOG_LEVELS, `must be ${LOG_LEVELS.join(", ")}`), {
    default: "info",
    help: "debug, info, warn or error",
  }),
  "log-format": option("Process", z.enum(["json", "text"], "must be json or text"), {
    default: "json",
    help: "json or text",
  }),
});

type Flag = keyof typeof OPTIONS;
type Camel<S extends string> = S extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;
/** The values of all options, by their flags in camel case. */
export type Config = Readonly<{ [F in Flag as Camel<F>]: z.output<(typeof OPTIONS)[F]["schema"]> }>;

/** `MAQUETTE_LOG_LEVEL` for `log-level`. */
export function variableOf(flag: string): string {
  return `MAQUETTE_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/** The environment variables of this process. */
export function environment(): Record<string, string> {
  return Deno.env.toObject();
}

/** What a command takes beside {@link OPTIONS}. */
export type ExtraOptions = Record<string, { type: "string" | "boolean"; short?: string }>;

/** A parsed command line. */
export interface CommandLine {
  config: Config;
  extra: Record<string, string | boolean | undefined>;
}

/**
 * Reads a command's flags.
 *
 * @param env Environment variables.
 * @throws {UsageError} On unknown flags and bad values: all of them, each by its name.
 */
export function readCommandLine(args: string[], env: Record<string, string>, extra: ExtraOptions = {}): CommandLine {
  const values = parseFlags(args, extra);
  const config: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [flag, { schema, default: fallback }] of Object.entries(OPTIONS)) {
    const [text, source] = typeof values[flag] === "string"
      ? [values[flag] as string, `--${flag}`]
      : [env[variableOf(flag)] ?? fallback, variableOf(flag)];
    const parsed = (schema as z.ZodType).safeParse(text);
    if (parsed.success) config[camel(flag)] = parsed.data;
    else problems.push(`${source}: ${JSON.stringify(text)} ${parsed.error.issues[0]!.message}`);
  }
  problems.push(...unknownVariables(env));
  if (problems.length === 0) problems.push(...contradictions(config as Config));
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return { config: Object.freeze(config) as Config, extra: values };
}

/** `--flag` alone says true, as people are used to. */
function spelledOut(argument: string): string {
  const known = OPTIONS[argument.slice(2) as Flag] as Option | undefined;
  return argument.startsWith("--") && known && /^(true|false)$/.test(known.default) ? `${argument}=true` : argument;
}

function parseFlags(args: string[], extra: ExtraOptions): Record<string, string | boolean | undefined> {
  const known = Object.fromEntries(Object.keys(OPTIONS).map((flag) => [flag, { type: "string" as const }]));
  try {
    return parseArgs({
      args: args.map(spelledOut),
      options: { ...known, ...extra },
      strict: true,
      allowPositionals: false,
    }).values as Record<
      string,
      string | boolean | undefined
    >;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** A misspelt variable would be passed over in silence. */
function unknownVariables(env: Record<string, string>): string[] {
  const known = new Set(Object.keys(OPTIONS).map(variableOf));
  return Object.keys(env).filter((name) => name.startsWith("MAQUETTE_") && !known.has(name))
    .map((name) => `${name}: no such option`);
}

function contradictions(config: Config): string[] {
  return config.defaultTtlSeconds > config.maxTtlSeconds
    ? [
      `--default-ttl-seconds: ${config.defaultTtlSeconds} must not be more than --max-ttl-seconds ${config.maxTtlSeconds}`,
    ]
    : [];
}

function camel(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The flags that say this configuration, without those that are at their default. */
export function flagsOf(config: Config): string[] {
  return Object.entries(OPTIONS).flatMap(([flag, { default: fallback }]) => {
    const value = (config as Record<string, unknown>)[camel(flag)];
    const text = Array.isArray(value) ? value.join(",") : String(value);
    return text === fallback ? [] : [`--${flag}=${text}`];
  });
}
