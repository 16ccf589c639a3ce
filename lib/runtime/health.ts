/**
 * What the kubelet asks: `/healthz` fails when a watch is silent past its deadline, `/readyz` until the process can
 * serve.
 *
 * @module
 */
import type { Informer } from "./informer.ts";

/** A watch is proven alive by a bookmark a minute; after this it has been given up and made anew more than twice. */
export const SILENT_DEADLINE_MS = 5 * 60_000;

/** One thing that must hold, with what to say when it does not. */
export interface Check {
  name: string;
  /** @returns What is wrong, or nothing. */
  problem(): string | undefined;
}

/** No watch is silent past its deadline. */
export function watchesAlive(informers: () => Informer[], deadlineMs = SILENT_DEADLINE_MS): Check {
  return {
    name: "watches",
    problem: () => {
      const silent = informers().filter((informer) => informer.silentMs > deadlineMs);
      return silent.length ? `silent: ${silent.map((informer) => informer.resource.plural).join(", ")}` : undefined;
    },
  };
}

/** Every cache holds its first list. */
export function cachesSynced(informers: () => Informer[]): Check {
  return {
    name: "caches",
    problem: () => {
      const missing = informers().filter((informer) => !informer.synced);
      return missing.length
        ? `not synced: ${missing.map((informer) => informer.resource.plural).join(", ")}`
        : undefined;
    },
  };
}

/** Answers as Kubernetes' own components do: one line per check, 503 when one fails. */
export function healthResponse(checks: readonly Check[]): Response {
  const results = checks.map((check) => ({ name: check.name, problem: check.problem() }));
  const isWell = results.every((result) => result.problem === undefined);
  const lines = results.map(({ name, problem }) => problem === undefined ? `[+]${name} ok` : `[-]${name} ${problem}`);
  return new Response(`${lines.join("\n")}\n`, { status: isWell ? 200 : 503 });
}
