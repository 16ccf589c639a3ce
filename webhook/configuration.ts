/**
 * What makes the API server ask the webhook: the two configurations, from the list of rules. Deterministic, because they
 * are part of generated manifests.
 *
 * They carry no `caBundle`: a running replica, or cert-manager, writes it and keeps it right. Applying them again on the
 * server's side takes nothing away, because who applies does not own it.
 *
 * @module
 */
import { apiVersionOf, type KubeObject } from "../lib/api/object.ts";
import { LABEL_PART_OF } from "../lib/api/names.ts";
import { MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS } from "../lib/api/resources.ts";
import { MUTATE_PATH, VALIDATE_PATH } from "./app.ts";
import type { AdmissionRules } from "./rules/admission_rules.ts";

/** Name of both configurations. */
export const CONFIGURATION_NAME = "maquette";

/** Where the API server reaches the webhook. */
export type WebhookClient =
  | { service: { name: string; namespace: string; port: number } }
  /** `https://host:port`, without a path. */
  | { url: string };

/** What {@link webhookConfigurations} makes them of. */
export interface ConfigurationOptions {
  rules: readonly Pick<AdmissionRules, "kind">[];
  client: WebhookClient;
  /** What becomes of a request while no replica answers. */
  failurePolicy: "Fail" | "Ignore";
  /** Seconds that the API server waits for an answer; above the 2 s that looking up an image may take. */
  timeoutSeconds?: number;
  /** Is never asked about: the operator must be able to come up while it is down. */
  operatorNamespace: string;
  /** Of both configurations. */
  annotations?: Readonly<Record<string, string>>;
}

const LABELS = {
  "app.kubernetes.io/name": "maquette",
  "app.kubernetes.io/component": "webhook",
  [LABEL_PART_OF]: "maquette",
};

/**
 * Nothing may stand between an object and its end, so the last update that takes the finalizer away is not asked about
 * either. The stored object is looked at: the new one could claim at creation to be on its way out.
 */
const NOT_LEAVING = {
  name: "not-being-deleted",
  expression: "oldObject == null || !has(oldObject.metadata.deletionTimestamp)",
};

/** The MutatingWebhookConfiguration and the ValidatingWebhookConfiguration. */
export function webhookConfigurations(options: ConfigurationOptions): [mutating: KubeObject, validating: KubeObject] {
  const mutating = {
    ...webhook("mutate.maquette.dev", MUTATE_PATH, options),
    // Another webhook may change the spec after this one.
    reinvocationPolicy: "IfNeeded",
  };
  return [
    { ...head(MUTATING_WEBHOOKS, options), webhooks: [mutating] },
    { ...head(VALIDATING_WEBHOOKS, options), webhooks: [webhook("validate.maquette.dev", VALIDATE_PATH, options)] },
  ];
}

function head(resource: typeof MUTATING_WEBHOOKS, { annotations = {} }: ConfigurationOptions): KubeObject {
  const metadata = { name: CONFIGURATION_NAME, labels: { ...LABELS } };
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: Object.keys(annotations).length > 0 ? { ...metadata, annotations: { ...annotations } } : metadata,
  };
}

function webhook(name: string, path: string, options: ConfigurationOptions): Record<string, unknown> {
  const { rules, client, failurePolicy, timeoutSeconds = 3, operatorNamespace } = options;
  return {
    name,
    admissionReviewVersions: ["v1"],
    clientConfig: clientConfig(client, path),
    rules: rules.map(({ kind }) => ({
      apiGroups: [kind.resource.group],
      apiVersions: [kind.resource.version],
      resources: [kind.resource.plural],
      operations: ["CREATE", "UPDATE"],
      scope: "Namespaced",
    })),
    namespaceSelector: {
      matchExpressions: [
        { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", operatorNamespace] },
      ],
    },
    matchConditions: [{ ...NOT_LEAVING }],
    matchPolicy: "Equivalent",
    sideEffects: "None",
    failurePolicy,
    timeoutSeconds,
  };
}

function clientConfig(client: WebhookClient, path: string): Record<string, unknown> {
  if ("service" in client) return { service: { ...client.service, path } };
  return { url: `${client.url.replace(/\/$/, "")}${path}` };
}
