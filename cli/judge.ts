/**
 * Admission's verdict without a cluster, for `check` and `plan`.
 *
 * @module
 */
import type { Config } from "../lib/config.ts";
import { unknownFields } from "../lib/api/validate.ts";
import { systemClock } from "../lib/runtime/clock.ts";
import type { AdmissionContext, AdmissionRules, NamespaceOwner } from "../webhook/rules/mod.ts";
import { ALL_RULES } from "../webhook/rules/mod.ts";
import { type Verdict, verdict } from "../webhook/verdict.ts";
import type { FileObject } from "./files.ts";

/** What admission's rules are told of the configuration. */
export function admissionConfig(config: Config): AdmissionContext["config"] {
  const { defaultTtlSeconds, maxTtlSeconds, reservedNamespaces, namespace } = config;
  const { allowedRegistries, deniedRegistries, allowLatest, requireDigest } = config;
  return {
    ...{ defaultTtlSeconds, maxTtlSeconds, reservedNamespaces, operatorNamespace: namespace },
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
 * @param claimed Namespaces and hosts that objects before it in the file are for.
 */
export function judgeFileObject(item: FileObject, config: Config, claimed = new Map<string, string>()): Verdict {
  const holder = (claim: string): NamespaceOwner | undefined => {
    const key = claimed.get(claim);
    return key === undefined ? undefined : { key, uid: key };
  };
  const now = (): number => systemClock.now();
  const context: AdmissionContext = { config: admissionConfig(config), now, ownerOf: holder, holderOf: holder };
  const { kind, object } = item;
  const placed = { ...object, metadata: { ...object.metadata, namespace: object.metadata?.namespace ?? "default" } };
  const result = verdict(rulesOf(item), placed, undefined, context);
  const unknown = unknownFields(kind, object).map((field) => `${field}: Unknown field, it will be dropped`);
  return { ...result, warnings: [...result.warnings, ...unknown] };
}
