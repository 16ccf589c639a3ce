/**
 * What a {@link KubeClient} is asked for, and how it is set up.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import type { WriteGuard } from "./guard.ts";

/** One request, before credentials are added. */
export interface RequestOptions {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  contentType?: string;
  accept?: string;
  signal?: AbortSignal;
  /** What the request counts as in metrics: the API verb and the plural. */
  counts: { verb: string; resource: string };
  /** Milliseconds after which it is given up, where the client's own limit is too long. */
  timeoutMs?: number;
  /** A watch: own connection pool, no timeout of ours. */
  stream?: boolean;
}

/** What part of a resource to list or watch. */
export interface Scope {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Only `metadata` is asked for and sent. */
  metadataOnly?: boolean;
}

/** One page of a list. */
export interface Page {
  items: KubeObject[];
  resourceVersion: string;
  next?: string;
}

/** Told about every request that ended; `code` 0 is a network failure or timeout. */
export type RequestObserver = (verb: string, resource: string, code: number) => void;

export interface KubeClientOptions {
  observe?: RequestObserver;
  userAgent?: string;
  /** Milliseconds after which a request that is not a watch is given up. */
  timeoutMs?: number;
  /** Must let every request but a GET pass. */
  guard?: WriteGuard;
  /** User to act as; the API server judges by what that one may do. */
  impersonate?: string;
  /** Stands in for the global `fetch` in tests. */
  fetch?: typeof fetch;
}
