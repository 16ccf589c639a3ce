/**
 * What the API server answers when it refuses, as one error class.
 *
 * @module
 */
import { FENCE_POLICY } from "../api/names.ts";

/** A refusal by the API server (metav1.Status). */
export class KubeError extends Error {
  override readonly name = "KubeError";

  /**
   * @param status HTTP status code, or the `code` of an ERROR event in a watch.
   * @param reason Machine-readable reason (`NotFound`, `Conflict`, `Expired`, …), `""` where the server gave none.
   * @param retryAfterMs Milliseconds that the server asked to wait (Retry-After).
   */
  constructor(readonly status: number, readonly reason: string, message: string, readonly retryAfterMs?: number) {
    super(message);
  }
}

/** Whether the error is a refusal with this HTTP status. */
export function hasStatus(error: unknown, ...statuses: number[]): error is KubeError {
  return error instanceof KubeError && statuses.includes(error.status);
}

/**
 * Whether the fence around the leader refused a write: somebody else leads, or this replica does for so short a time that
 * the API server has not noticed. 422 is what it answers where it cannot tell.
 */
export function isFenced(error: unknown): error is KubeError {
  return hasStatus(error, 403, 422) && error.message.includes(`ValidatingAdmissionPolicy '${FENCE_POLICY}-`);
}

/**
 * Whether a JSON Patch did not fit what is there: a `test` of it failed. The API server says no more than this, and says
 * it of nothing else: what is wrong with the content of a patched object it names.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go
 */
export function isPatchOutdated(error: unknown): error is KubeError {
  return hasStatus(error, 422) && error.message === "the server rejected our request due to an error in our request";
}

/** Whether the refusal is no news about what was to be written: the next look, which shall come soon, is. */
export function isConflict(error: unknown): error is KubeError {
  return hasStatus(error, 409) || isPatchOutdated(error) || isFenced(error);
}

/** What is asked for, or nothing where it does not exist. */
export async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

/** Reads the refusal out of a response that is not ok, and consumes its body. */
export async function refusalOf(response: Response): Promise<KubeError> {
  const text = await response.text().catch(() => "");
  const status = parseStatus(text);
  const retryAfter = Number(response.headers.get("retry-after"));
  return new KubeError(
    response.status,
    status.reason ?? "",
    status.message ?? (text.slice(0, 200) || `HTTP status ${response.status}`),
    Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter * 1000 : undefined,
  );
}

function parseStatus(text: string): { reason?: string; message?: string } {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
