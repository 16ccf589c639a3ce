/**
 * AdmissionReview, version 1, as it stands on the wire: what the API server asks and what it is answered. Pure.
 *
 * @module
 */
import { z } from "zod";
import type { KubeObject } from "../lib/api/object.ts";
import { fieldPath } from "../lib/api/schema.ts";
import type { Problem } from "../lib/api/validate.ts";
import type { PatchOperation } from "./json_patch.ts";
import { Refusal } from "./refusal.ts";

const API_VERSION = "admission.k8s.io/v1";
const KIND = "AdmissionReview";
/** The API server cuts a longer warning. */
const MAX_WARNING_LENGTH = 256;
/** More than a person reads; a list of 10,000 broken entries must not become an answer of megabytes. */
const MAX_CAUSES = 100;
const MAX_FIELD_LENGTH = 300;

/** What is asked: `request` of an AdmissionReview, the fields that Maquette reads. */
export interface AdmissionRequest {
  uid: string;
  operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  kind: { group: string; version: string; kind: string };
  /** `status` and the like; absent or empty for the object itself. */
  subResource?: string | null;
  namespace?: string | null;
  /** Set for CREATE and UPDATE. */
  object?: KubeObject | null;
  /** Set for UPDATE and DELETE. */
  oldObject?: KubeObject | null;
}

/** What is answered: a whole AdmissionReview. */
export interface AdmissionReview {
  apiVersion: typeof API_VERSION;
  kind: typeof KIND;
  response: AdmissionResponse;
}

/** `response` of an AdmissionReview. */
export interface AdmissionResponse {
  uid: string;
  allowed: boolean;
  status?: Record<string, unknown>;
  patchType?: "JSONPatch";
  /** JSON Patch, as base64. */
  patch?: string;
  warnings?: string[];
}

const texts = z.record(z.string(), z.string()).nullish();

const objectSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string().nullish(),
    generateName: z.string().nullish(),
    namespace: z.string().nullish(),
    uid: z.string().nullish(),
    creationTimestamp: z.string().nullish(),
    deletionTimestamp: z.string().nullish(),
    labels: texts,
    annotations: texts,
    finalizers: z.array(z.string()).nullish(),
  }),
}).nullish();

const requestSchema = z.looseObject({
  uid: z.string().min(1),
  operation: z.enum(["CREATE", "UPDATE", "DELETE", "CONNECT"]),
  kind: z.looseObject({ group: z.string(), version: z.string(), kind: z.string() }),
  subResource: z.string().nullish(),
  namespace: z.string().nullish(),
  object: objectSchema,
  oldObject: objectSchema,
}).refine(({ operation, object }) => !isWrite(operation) || object, { path: ["object"], message: "Is required" })
  .refine(({ operation, oldObject }) => operation !== "UPDATE" || oldObject, {
    path: ["oldObject"],
    message: "Is required for UPDATE",
  });

const reviewSchema = z.looseObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(KIND),
  request: requestSchema,
});

/** Whether an operation brings an object that can be judged. */
export function isWrite(operation: AdmissionRequest["operation"]): boolean {
  return operation === "CREATE" || operation === "UPDATE";
}

/**
 * Reads an AdmissionReview.
 *
 * The schema is asked for its verdict only. What is returned is the request as it came, every field of its objects
 * included: a patch is the difference to exactly that.
 *
 * @param value any JSON value
 * @throws Refusal 400 with the fields that are wrong
 */
export function parseReview(value: unknown): AdmissionRequest {
  const { success, error } = reviewSchema.safeParse(value);
  if (success) return (value as { request: AdmissionRequest }).request;
  const issues = error.issues.slice(0, 5).map(({ path, message }) => `${fieldPath(path) || "body"}: ${message}`);
  throw new Refusal(400, `Body is not an AdmissionReview of ${API_VERSION}: ${issues.join("; ")}`);
}

/** Lets the object pass as it is. */
export function allowed(request: AdmissionRequest, warnings: readonly string[] = []): AdmissionReview {
  return review({ uid: request.uid, allowed: true, ...shown(warnings) });
}

/** Lets the object pass after changes; without operations it is {@link allowed}. */
export function patched(
  request: AdmissionRequest,
  operations: readonly PatchOperation[],
  warnings: readonly string[] = [],
): AdmissionReview {
  if (operations.length === 0) return allowed(request, warnings);
  const patch = base64(JSON.stringify(operations));
  return review({ uid: request.uid, allowed: true, patchType: "JSONPatch", patch, ...shown(warnings) });
}

/**
 * Refuses the object. The problems are given twice: as text, one per line, and as causes, which `kubectl` lists as it
 * does the API server's own.
 *
 * @param problems at least one
 */
export function denied(
  request: AdmissionRequest,
  problems: readonly Problem[],
  warnings: readonly string[] = [],
): AdmissionReview {
  const { group, kind } = request.kind;
  const metadata: { name?: string | null; generateName?: string | null } | undefined = request.object?.metadata;
  const causes = problems.slice(0, MAX_CAUSES).map((problem) => ({
    reason: "FieldValueInvalid",
    field: shortened(problem.field, MAX_FIELD_LENGTH),
    message: problem.message,
  }));
  const left = problems.length - causes.length;
  if (left > 0) {
    causes.push({ reason: "FieldValueInvalid", field: "", message: `${left} more problems are not listed` });
  }
  const status = {
    status: "Failure",
    code: 422,
    reason: "Invalid",
    message: causes.map(({ field, message }) => field === "" ? message : `${field}: ${message}`).join("\n"),
    details: { group, kind, name: metadata?.name || metadata?.generateName || "", causes },
  };
  return review({ uid: request.uid, allowed: false, status, ...shown(warnings) });
}

function review(response: AdmissionResponse): AdmissionReview {
  return { apiVersion: API_VERSION, kind: KIND, response };
}

/** The API server drops a warning with a control character, and all that come after 4096 characters. */
function shown(warnings: readonly string[]): { warnings?: string[] } {
  const lines = warnings.map((warning) => shortened(warning.replace(/\p{Cc}+/gu, " "), MAX_WARNING_LENGTH));
  return lines.length > 0 ? { warnings: lines } : {};
}

/** Cuts between characters, never inside of one. */
function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed().replace(/\ufffd$/, "")}…`;
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
}
