/**
 * Amounts of resources: what containers get that name none, and how amounts are put together. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { compareQuantities, isQuantity } from "../api/quantity.ts";

/** Amounts of resources by their names, as they stand in a quota or container. */
export type Amounts = Record<string, string | number>;

/** Requests of a container that names none. */
export const DEFAULT_REQUESTS = Object.freeze({ cpu: "100m", memory: "128Mi" });
/** Limits of a container that names none. */
export const DEFAULT_LIMITS = Object.freeze({ cpu: "250m", memory: "256Mi" });

/** For each of the amounts the greater of the two. */
export function atLeast(amounts: Amounts, floor: Amounts): Amounts {
  return chosen(amounts, floor, (amount, other) => compareQuantities(other, amount) > 0);
}

/** For each of the amounts the smaller of the two. */
export function atMost(amounts: Amounts, ceiling: Amounts): Amounts {
  return chosen(amounts, ceiling, (amount, other) => compareQuantities(other, amount) < 0);
}

type Amount = string | number;

function chosen(amounts: Amounts, others: Amounts, isOther: (amount: Amount, other: Amount) => boolean): Amounts {
  const entries = Object.entries(amounts).map(([name, amount]): [string, Amount] => {
    const other = others[name];
    return [name, isQuantity(other) && isQuantity(amount) && isOther(amount, other) ? other : amount];
  });
  return Object.fromEntries(entries);
}

/** Requests and limits as a spec has them. */
interface Resources {
  requests?: Record<string, string | number | undefined>;
  limits?: Record<string, string | number | undefined>;
}

/** Requests and limits of the container: what the spec says, else the defaults, never request > limit. */
export function containerResources(resources: Resources | undefined): { requests: Amounts; limits: Amounts } {
  const given = { requests: defined(resources?.requests), limits: defined(resources?.limits) };
  const limits: Amounts = { ...DEFAULT_LIMITS, ...given.limits };
  for (const [name, request] of Object.entries(given.requests)) {
    const limit = limits[name];
    if (limit !== undefined && !(name in given.limits) && compareQuantities(request, limit) > 0) limits[name] = request;
  }
  const requests: Amounts = { ...DEFAULT_REQUESTS, ...given.requests };
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit !== undefined && compareQuantities(request, limit) > 0) requests[name] = limit;
  }
  return { requests, limits };
}

function defined(amounts: Record<string, string | number | undefined> | undefined): Amounts {
  return Object.fromEntries(
    Object.entries(amounts ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** A quota on requests and limits refuses Pods that name none: these are filled in. */
export function limitRange(
  target: { name: string; namespace: string },
  filled: { limits: Amounts; requests: Amounts },
): KubeObject {
  const { limits, requests } = filled;
  return {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: target,
    spec: { limits: [{ type: "Container", default: limits, defaultRequest: requests }] },
  };
}
