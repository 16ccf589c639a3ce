/**
 * Objects, contexts and reviews for the webhook's tests.
 *
 * @module
 */
import type { KubeObject } from "../lib/api/object.ts";
import { FakeClock } from "../lib/runtime/fake_clock.ts";
import { type LogFields, type Logger, silentLogger } from "../lib/runtime/log.ts";
import { createWebhookApp, type Outcome, type WebhookDeps } from "./app.ts";
import type { PatchOperation } from "./json_patch.ts";
import type { AdmissionRequest, AdmissionResponse } from "./review.ts";
import { type AdmissionConfig, type AdmissionContext, NO_TENANTS } from "./rules/admission_rules.ts";
import { ALL_RULES } from "./rules/mod.ts";

/** The time at which tests judge. */
export const NOW = Date.UTC(2026, 0, 1);

/** A digest of the right form. */
export const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

/** The defaults of the operator. */
export const CONFIG: AdmissionConfig = Object.freeze({
  defaultTtlSeconds: 86_400,
  maxTtlSeconds: 604_800,
  reservedNamespaces: [],
  operatorNamespace: "maquette-system",
  domain: "preview.test",
  allowedRegistries: [],
  deniedRegistries: [],
  allowLatest: false,
  requireDigest: false,
});

/** A context in which no namespace has an owner, but for what is said. */
export function contextWith(
  { config, ...rest }: Partial<Omit<AdmissionContext, "config">> & { config?: Partial<AdmissionConfig> } = {},
): AdmissionContext {
  return {
    ownerOf: () => undefined,
    holderOf: () => undefined,
    tenants: NO_TENANTS,
    now: () => NOW,
    ...rest,
    config: { ...CONFIG, ...config },
  };
}

/** A good PreviewEnvironment, with these fields of its spec changed; undefined takes one away. */
export function preview(
  spec: Record<string, unknown> = {},
  metadata: Partial<KubeObject["metadata"]> = {},
): KubeObject {
  return {
    apiVersion: "devops.orima.com/v1",
    kind: "PreviewEnvironment",
    metadata: { name: "pr-7", namespace: "ci", ...metadata },
    spec: { pr_number: 7, branch_name: "feature/login", image: "ghcr.io/acme/shop", image_tag: "1.2.3", ...spec },
  };
}

/** A good Printer, likewise. */
export function printer(
  spec: Record<string, unknown> = {},
  metadata: Partial<KubeObject["metadata"]> = {},
): KubeObject {
  return {
    apiVersion: "cadumillani.com.br/v1",
    kind: "Printer",
    metadata: { name: "hello", namespace: "ci", ...metadata },
    spec: { textToPrint: "Hello", ...spec },
  };
}

/** A good Project, likewise. */
export function project(
  spec: Record<string, unknown> = {},
  metadata: Partial<KubeObject["metadata"]> = {},
): KubeObject {
  return {
    apiVersion: "catalyst.catalyst.dev/v1alpha1",
    kind: "Project",
    metadata: { name: "shop", namespace: "acme", ...metadata },
    spec: {
      source: { repositoryUrl: "https://github.com/acme/shop", branch: "main" },
      deployment: { type: "helm", path: "./charts/shop", values: {} },
      ...spec,
    },
  };
}

/** A good Environment of {@link project}, likewise. */
export function environment(
  spec: Record<string, unknown> = {},
  metadata: Partial<KubeObject["metadata"]> = {},
): KubeObject {
  return {
    apiVersion: "catalyst.catalyst.dev/v1alpha1",
    kind: "Environment",
    metadata: { name: "dev", namespace: "acme", ...metadata },
    spec: {
      projectRef: { name: "shop" },
      type: "development",
      source: { commitSha: "a".repeat(40), branch: "main" },
      ...spec,
    },
  };
}

/** A good PortfolioApp, likewise. */
export function portfolioApp(
  spec: Record<string, unknown> = {},
  metadata: Partial<KubeObject["metadata"]> = {},
): KubeObject {
  return {
    apiVersion: "portfolio.example.com/v1alpha1",
    kind: "PortfolioApp",
    metadata: { name: "shop", namespace: "acme", ...metadata },
    spec: { image: "ghcr.io/acme/shop", version: "1.4.2", ...spec },
  };
}

/** The AdmissionReview for an object; an update where the stored one is given. */
export function reviewOf(
  object: KubeObject,
  { old, ...request }: { old?: KubeObject } & Partial<AdmissionRequest> = {},
): Record<string, unknown> {
  const [group, version] = object.apiVersion.split("/");
  const operation = old ? "UPDATE" : "CREATE";
  const kind = { group, version, kind: object.kind };
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { uid: "review-1", operation, kind, namespace: "ci", object, oldObject: old ?? null, ...request },
  };
}

/** One line of a log. */
export interface LogLine extends LogFields {
  level: string;
  message: string;
}

/** A logger that keeps its lines. */
export function recordingLogger(lines: LogLine[]): Logger {
  function at(level: string): Logger["info"] {
    return (message, fields) => void lines.push({ level, message, ...fields });
  }
  return { ...silentLogger, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A webhook without a socket, and what it said beside its answers. */
export class TestWebhook {
  readonly lines: LogLine[] = [];
  readonly observed: { kind: string; operation: string; outcome: Outcome }[] = [];
  readonly clock = new FakeClock(NOW);
  readonly app: ReturnType<typeof createWebhookApp>;

  constructor(deps: Partial<WebhookDeps> = {}) {
    this.app = createWebhookApp({
      rules: ALL_RULES,
      context: contextWith(),
      clock: this.clock,
      log: recordingLogger(this.lines),
      observe: (kind, operation, outcome) => void this.observed.push({ kind, operation, outcome }),
      ...deps,
    });
  }

  /** Sends a body as the API server does. */
  async post(path: string, body: BodyInit | null): Promise<Response> {
    return await this.app.fetch(
      new Request(`https://webhook${path}`, { method: "POST", headers: { "content-type": "application/json" }, body }),
    );
  }

  /** The answer to a review. */
  async ask(path: "/mutate" | "/validate", review: unknown): Promise<AdmissionResponse> {
    const response = await this.post(path, JSON.stringify(review));
    return (await response.json()).response;
  }
}

/** The operations in an answer. */
export function patchOf({ patch }: AdmissionResponse): PatchOperation[] {
  if (patch === undefined) return [];
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(patch), (character) => character.charCodeAt(0))));
}

/** Applies operations as the API server does. */
export function applied<T>(object: T, operations: readonly PatchOperation[]): T {
  const root = { object: structuredClone(object) };
  for (const operation of operations) {
    const steps = `object${operation.path}`.split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = steps.pop()!;
    // deno-lint-ignore no-explicit-any
    const parent = steps.reduce<any>((at, step) => at[step], root);
    if (operation.op === "remove") delete parent[last];
    else {
      const { value } = operation;
      Object.defineProperty(parent, last, { value, writable: true, enumerable: true, configurable: true });
    }
  }
  return root.object;
}
