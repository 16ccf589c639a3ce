/**
 * What a Pod's status says of all of it.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** Whether a container of it may still run, or run again: it is not over. */
export function mayRun({ status }: KubeObject): boolean {
  return status?.phase !== "Succeeded" && status?.phase !== "Failed";
}
