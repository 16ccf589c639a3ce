/**
 * The admission webhook as an HTTP application. It does not listen: server.ts does, tests call `fetch`.
 *
 * Guarantees: every request is answered and none throws; what is no admission review of a kind of ours gets a 4xx with
 * a text and a log line; an error of our own gets a 500 that tells nothing of the inside. It keeps no state between
 * requests, so every replica may serve it.
 *
 * The API server checks the CRD's schema between mutating and validating admission: an object that breaks the schema
 * never reaches the validating endpoint, and its author would see the rest of what is wrong only after mending that. So
 * the mutating endpoint itself refuses such an object, with all its problems. What breaks rules alone passes it, for the
 * validating endpoint to refuse.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import type { ImageRegistry } from "../lib/registry/registry.ts";
import type { Clock } from "../lib/runtime/clock.ts";
import type { Logger } from "../lib/runtime/log.ts";
import { readJson } from "./body.ts";
import { checkImages } from "./image_check.ts";
import { patchBetween } from "./json_patch.ts";
import { Refusal } from "./refusal.ts";
import {
  type AdmissionRequest,
  type AdmissionReview,
  allowed,
  denied,
  isWrite,
  parseReview,
  patched,
} from "./review.ts";
import type { AdmissionContext, AdmissionRules, Change } from "./rules/admission_rules.ts";
import { judge, verdict } from "./verdict.ts";

/** Where the API server sends objects to be changed. */
export const MUTATE_PATH = "/mutate";
/** Where the API server sends objects to be judged. */
export const VALIDATE_PATH = "/validate";

/** `invalid` is a request that is no review, `error` a fault of our own. */
export type Outcome = "allowed" | "denied" | "invalid" | "error";

/** Told once per review; every value but the seconds is one of few. */
export type Observe = (
  /** A kind of ours, or `unknown`. */
  kind: string,
  operation: AdmissionRequest["operation"] | "unknown",
  outcome: Outcome,
  seconds: number,
) => void;

/** What the app needs. */
export interface WebhookDeps {
  rules: readonly AdmissionRules[];
  context: AdmissionContext;
  clock: Clock;
  log: Logger;
  observe: Observe;
  /** Where new images are looked up; they are not without it. */
  registry?: ImageRegistry;
}

/** The app. */
export function createWebhookApp(deps: WebhookDeps): Hono {
  const app = new Hono();
  app.get("/healthz", (c) => c.text("ok"));
  app.post(MUTATE_PATH, (c) => reviewed(c, deps, mutate));
  app.post(VALIDATE_PATH, (c) => reviewed(c, deps, validate));
  app.all("/healthz", (c) => refused(c, deps, wrongMethod(c, "GET, HEAD")));
  app.on(["ALL"], [MUTATE_PATH, VALIDATE_PATH], (c) => refused(c, deps, wrongMethod(c, "POST")));
  app.onError((error, c) => failed(c, deps, error));
  app.notFound((c) => refused(c, deps, new Refusal(404, "Path is not served here")));
  return app;
}

/** One of the two endpoints: answers a review of a kind that has rules. */
type Endpoint = (request: AdmissionRequest, rules: AdmissionRules, deps: WebhookDeps) =>
  | AdmissionReview
  | Promise<AdmissionReview>;

async function reviewed(c: Context, deps: WebhookDeps, endpoint: Endpoint): Promise<Response> {
  const start = deps.clock.now();
  let kind = "unknown";
  let operation: AdmissionRequest["operation"] | "unknown" = "unknown";
  function observe(outcome: Outcome): void {
    deps.observe(kind, operation, outcome, (deps.clock.now() - start) / 1000);
  }
  try {
    const request = parseReview(await readJson(c.req.raw, deps.clock));
    operation = request.operation;
    const rules = rulesFor(request, deps.rules);
    kind = rules.kind.resource.kind;
    const review = await endpoint(request, rules, deps);
    observe(review.response.allowed ? "allowed" : "denied");
    return c.json(review);
  } catch (error) {
    observe(error instanceof Refusal ? "invalid" : "error");
    return error instanceof Refusal ? refused(c, deps, error) : failed(c, deps, error);
  }
}

/** @throws Refusal 400 for a kind that has no rules here */
function rulesFor({ kind }: AdmissionRequest, all: readonly AdmissionRules[]): AdmissionRules {
  const found = all.find(({ kind: { resource } }) =>
    resource.group === kind.group && resource.version === kind.version && resource.kind === kind.kind
  );
  if (found) return found;
  const shown = `${kind.group}/${kind.version} ${kind.kind}`.slice(0, 200);
  throw new Refusal(400, `Kind has no admission rules here: ${JSON.stringify(shown)}`);
}

function mutate(request: AdmissionRequest, rules: AdmissionRules, { context }: WebhookDeps): AdmissionReview {
  const change = changeOf(request);
  if (change === undefined) return allowed(request);
  const { object, problems, warnings, changes, isSchemaBroken } = verdict(rules, change.object, change.old, context);
  if (isSchemaBroken) return denied(request, problems, warnings);
  // The rest of the warnings is the validating endpoint's to give: not everything twice.
  return patched(request, patchBetween(change.object, object), changes);
}

async function validate(
  request: AdmissionRequest,
  rules: AdmissionRules,
  { context, registry, clock }: WebhookDeps,
): Promise<AdmissionReview> {
  const change = changeOf(request);
  if (change === undefined) return allowed(request);
  const { problems, warnings } = judge(rules, change, context);
  const images = registry ? rules.newImages(change, context) : [];
  const found = registry && images.length > 0 ? await checkImages(images, { registry, clock }) : undefined;
  const all = [...problems, ...found?.problems ?? []];
  const said = [...warnings, ...found?.warnings ?? []];
  return all.length > 0 ? denied(request, all, said) : allowed(request, said);
}

/** Undefined where nothing is to be judged: deletions, and subresources such as `status`. */
function changeOf({ operation, subResource, object, oldObject }: AdmissionRequest): Change | undefined {
  if (!isWrite(operation) || subResource || !object) return undefined;
  return { object, old: operation === "UPDATE" && oldObject ? oldObject : undefined };
}

function wrongMethod(c: Context, allow: string): Refusal {
  c.header("Allow", allow);
  return new Refusal(405, `Method must be ${allow.replace(", ", " or ")}`);
}

function refused(c: Context, { log }: WebhookDeps, { status, message }: Refusal): Response {
  log.warn("Refused a request to the webhook", { status, reason: message, path: c.req.path.slice(0, 100) });
  return c.text(`${message}\n`, status);
}

function failed(c: Context, { log }: WebhookDeps, error: unknown): Response {
  log.error("Failed to answer an admission review", { error, stack: error instanceof Error ? error.stack : undefined });
  return c.text("The webhook failed to answer: see its log\n", 500);
}
