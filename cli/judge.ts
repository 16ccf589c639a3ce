/**
 * Admission's verdict without a cluster, for `check` and `plan`.
 *
 * @module
 */
import type { Config } from "../lib/config.ts";
import { apiVersionOf, type KubeObject } from "../lib/api/object.ts";
import { unknownFields } from "../lib/api/validate.ts";
import { isDnsLabel } from "../lib/naming.ts";
import { systemClock } from "../lib/runtime/clock.ts";
import { type AdmissionContext, type AdmissionRules, ALL_RULES } from "../webhook/rules/mod.ts";
import { type Verdict, verdict } from "../webhook/verdict.ts";
import type { FileObject } from "./files.ts";
import { FileSurroundings } from "./file_surroundings.ts";

/** What admission's rules are told of the configuration. */
export function admissionConfig(config: Config): AdmissionContext["config"] {
  const { defaultTtlSeconds, maxTtlSeconds, reservedNamespaces, namespace, domain } = config;
  const { allowedRegistries, deniedRegistries, allowLatest, requireDigest } = config;
  return {
    ...{ defaultTtlSeconds, maxTtlSeconds, reservedNamespaces, operatorNamespace: namespace, domain },
    ...{ allowedRegistries, deniedRegistries, allowLatest, requireDigest },
  };
}

/** The rules of the kind. */
export function rulesOf({ kind }: FileObject): AdmissionRules {
  return ALL_RULES.find((rules) => rules.kind === kind)!;
}

/**
 * The verdict on an object of a file, judged as if it were created. Fields that the schema does not know are warnings,
 * as `kubectl` gives them.
 *
 * @param around What else the file has.
 */
export function judgeFileObject(
  item: FileObject,
  config: Config,
  around = new FileSurroundings([item], config.domain),
): Verdict {
  const context: AdmissionContext = {
    config: admissionConfig(config),
    now: () => systemClock.now(),
    ownerOf: (namespace) => around.namespaces.get(namespace),
    holderOf: (host) => around.hosts.get(host),
    tenants: around.tenants,
  };
  const { kind, object } = item;
  const metadata = (object.metadata ?? {}) as KubeObject["metadata"] & { generateName?: string };
  // The API server puts five characters behind a generated name.
  const { name = `${metadata.generateName ?? ""}xxxxx`, namespace = "default" } = metadata;
  const placed = { ...object, metadata: { ...metadata, name, namespace } };
  const result = verdict(rulesOf(item), placed, undefined, context);
  const problems = [...headProblems(item), ...result.problems];
  const unknown = unknownFields(kind, object).map((field) => `${field}: Unknown field, it will be dropped`);
  return { ...result, problems, warnings: [...result.warnings, ...unknown] };
}

const OBJECT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LONGEST_NAME = 253;

/** What the API server itself refuses before it asks anybody. */
function headProblems({ kind, object }: FileObject): Verdict["problems"] {
  const { name, generateName, namespace } = (object.metadata ?? {}) as unknown as Record<string, unknown>;
  const problems: Verdict["problems"] = [];
  const apiVersion = apiVersionOf(kind.resource);
  if (object.apiVersion !== apiVersion) problems.push({ field: "apiVersion", message: `Must be "${apiVersion}"` });
  const isNamed = typeof name === "string" && name.length <= LONGEST_NAME && OBJECT_NAME.test(name);
  if (name === undefined && typeof generateName !== "string") {
    problems.push({ field: "metadata.name", message: "Is required" });
  } else if (name !== undefined && !isNamed) {
    problems.push({
      field: "metadata.name",
      message: "Must be a DNS name: a-z, 0-9, - and dots, at most 253 characters",
    });
  }
  if (namespace !== undefined && !(typeof namespace === "string" && isDnsLabel(namespace))) {
    problems.push({ field: "metadata.namespace", message: "Must be a DNS label: at most 63 of a-z, 0-9 and -" });
  }
  return problems;
}
