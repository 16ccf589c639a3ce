/**
 * What the rules of kstatus say, and how they read conditions.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** One object's state, and why, for people (`""` when it is current). */
export interface KStatus {
  /** `failed`: it will not get there by itself. */
  state: "current" | "inProgress" | "failed" | "terminating";
  message: string;
}

/** A condition as kinds of all sorts write it. */
export interface AnyCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  observedGeneration?: number;
}

/** It is what was asked for. */
export function current(): KStatus {
  return { state: "current", message: "" };
}

/** It is on its way. */
export function inProgress(message: string): KStatus {
  return { state: "inProgress", message };
}

/** Somebody must act. */
export function failed(message: string): KStatus {
  return { state: "failed", message };
}

/** `status.conditions`, none where the kind means something else by that. */
export function conditionsOf(object: KubeObject): AnyCondition[] {
  const conditions: unknown = object.status?.conditions;
  return Array.isArray(conditions) ? conditions.filter((each) => typeof each?.type === "string") : [];
}

/** A condition in words. */
export function sentence({ type, status, reason, message }: AnyCondition): string {
  return message || reason || `${type} is ${status}`;
}

/** A whole number of the status or the spec. */
export function count(value: unknown, otherwise = 0): number {
  return typeof value === "number" ? value : otherwise;
}

/** The first amount that is not reached, in words. @param steps What, how many there are, how many there shall be. */
export function shortOf(steps: readonly [what: string, have: number, want: number][]): KStatus | undefined {
  const short = steps.find(([, have, want]) => have < want);
  return short && inProgress(`${short[0]}: ${short[1]} of ${short[2]}`);
}
