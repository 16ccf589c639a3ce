/**
 * A thin Kubernetes client on Deno's own `fetch`. It keeps no state but its two connection pools: caching, watching and
 * retrying are the runtime's. `request` has the shape of `performRequest` in the community's Deno client, so that one
 * can replace the other in this file.
 *
 * Guarantees: every response body is consumed or cancelled; every request but a watch ends within its timeout; refusals
 * are thrown as {@link KubeError}; the token is read anew for every request.
 *
 * @module
 */
import { apiVersionOf, type KubeObject, type Resource } from "../api/object.ts";
import { type ApplyOptions, applyRequest, isOtherUid } from "./apply.ts";
import type { Credentials } from "./credentials.ts";
import { KubeError, refusalOf } from "./errors.ts";
import { type JsonPatch, objectPath, type Target } from "./paths.ts";
import { decodeWatch, type WatchEvent } from "./watch_stream.ts";

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
  /** Stands in for the global `fetch` in tests. */
  fetch?: typeof fetch;
}

/** A log comes from a node, which may be gone: no caller waits long for it. */
const LOG_TIMEOUT_MS = 3_000;

/** Talks to one API server. */
export class KubeClient {
  readonly #credentials: Credentials;
  readonly #options: KubeClientOptions;
  readonly #requests: Deno.HttpClient;
  readonly #watches: Deno.HttpClient;

  constructor(credentials: Credentials, options: KubeClientOptions = {}) {
    this.#credentials = credentials;
    this.#options = options;
    this.#requests = createPool(credentials);
    this.#watches = createPool(credentials);
  }

  /** Ends all connections. */
  close(): void {
    this.#requests.close();
    this.#watches.close();
  }

  /** @throws {KubeError} On any answer that is not 2xx. */
  async request(options: RequestOptions): Promise<Response> {
    const { counts } = options;
    let code = 0;
    try {
      const response = await this.#send(options);
      code = response.status;
      if (!response.ok) throw await refusalOf(response);
      return response;
    } finally {
      this.#options.observe?.(counts.verb, counts.resource, code);
    }
  }

  async #send(options: RequestOptions): Promise<Response> {
    const headers = new Headers({
      accept: options.accept ?? "application/json",
      "user-agent": this.#options.userAgent ?? "maquette",
    });
    const token = await this.#credentials.token?.();
    if (token) headers.set("authorization", `Bearer ${token}`);
    if (options.body !== undefined) headers.set("content-type", options.contentType ?? "application/json");
    const query = options.query && Object.keys(options.query).length ? `?${new URLSearchParams(options.query)}` : "";
    const timeout = AbortSignal.timeout(options.timeoutMs ?? this.#options.timeoutMs ?? 30_000);
    const init: RequestInit & { client: Deno.HttpClient } = {
      method: options.method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.stream ? options.signal : options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      client: options.stream ? this.#watches : this.#requests,
    };
    return await (this.#options.fetch ?? fetch)(`${this.#credentials.server}${options.path}${query}`, init);
  }

  async #object(options: RequestOptions): Promise<KubeObject> {
    return slim(await (await this.request(options)).json());
  }

  /** @throws {KubeError} 404 when it does not exist. */
  async get(resource: Resource, target: Target): Promise<KubeObject> {
    return await this.#object({
      method: "GET",
      path: objectPath(resource, target),
      counts: { verb: "get", resource: resource.plural },
    });
  }

  /** Creates; an object of that name must not exist. @throws {KubeError} 409 AlreadyExists. */
  async create(object: KubeObject, resource: Resource, manager: string): Promise<KubeObject> {
    return await this.#object({
      method: "POST",
      path: objectPath(resource, { namespace: object.metadata.namespace }),
      query: { fieldManager: manager },
      body: object,
      counts: { verb: "create", resource: resource.plural },
    });
  }

  /**
   * Server-side apply (KEP-555).
   *
   * @throws {KubeError} 409 on a clash without force, and when the object has not the `metadata.uid` that is applied.
   */
  async apply(object: KubeObject, resource: Resource, options: ApplyOptions): Promise<KubeObject> {
    try {
      return await this.#object(applyRequest(object, resource, options));
    } catch (error) {
      throw isOtherUid(error) ? new KubeError(409, "Conflict", error.message) : error;
    }
  }

  /** JSON Patch (RFC 6902); guard it with `test` operations. */
  async patch(resource: Resource, target: Target, patch: JsonPatch): Promise<KubeObject> {
    return await this.#object({
      method: "PATCH",
      path: objectPath(resource, target),
      body: patch,
      contentType: "application/json-patch+json",
      counts: { verb: "patch", resource: resource.plural },
    });
  }

  /** Replaces an object; its `metadata.resourceVersion` must be the current one. @throws {KubeError} 409. */
  async replace(object: KubeObject, resource: Resource, manager: string): Promise<KubeObject> {
    const { namespace, name } = object.metadata;
    return await this.#object({
      method: "PUT",
      path: objectPath(resource, { namespace, name }),
      query: { fieldManager: manager },
      body: object,
      counts: { verb: "update", resource: resource.plural },
    });
  }

  /**
   * Deletes exactly the object that was seen; children follow in the background.
   *
   * @param seen `uid`, and where given `resourceVersion`, must still be those of the object.
   * @throws {KubeError} 404 when it is gone, 409 when it is another one or was changed since.
   */
  async remove(resource: Resource, target: Target, seen: { uid?: string; resourceVersion?: string }): Promise<void> {
    const response = await this.request({
      method: "DELETE",
      path: objectPath(resource, target),
      body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Background", preconditions: seen },
      counts: { verb: "delete", resource: resource.plural },
    });
    await response.body?.cancel();
  }

  /** One page of a list. @param page `next` of the page before. @throws {KubeError} 410 when `next` is too old. */
  async list(
    resource: Resource,
    scope: Scope,
    page: { limit: number; next?: string; signal?: AbortSignal },
  ): Promise<Page> {
    const response = await this.request({
      method: "GET",
      path: objectPath(resource, { namespace: scope.namespace }),
      query: { ...selectors(scope), limit: String(page.limit), ...(page.next ? { continue: page.next } : {}) },
      accept: scope.metadataOnly ? partial("PartialObjectMetadataList") : undefined,
      signal: page.signal,
      counts: { verb: "list", resource: resource.plural },
    });
    const list = await response.json();
    return {
      items: (list.items ?? []).map((item: KubeObject) => typed(slim(item), resource)),
      resourceVersion: list.metadata.resourceVersion,
      next: list.metadata.continue || undefined,
    };
  }

  /** One watch connection, until the server or the signal ends it. Yields bookmarks too. @throws {KubeError} On an ERROR event. */
  async *watch(
    resource: Resource,
    scope: Scope,
    options: { resourceVersion: string; timeoutSeconds: number; signal: AbortSignal },
  ): AsyncGenerator<WatchEvent> {
    const response = await this.request({
      method: "GET",
      path: objectPath(resource, { namespace: scope.namespace }),
      query: {
        ...selectors(scope),
        watch: "true",
        allowWatchBookmarks: "true",
        resourceVersion: options.resourceVersion,
        timeoutSeconds: String(options.timeoutSeconds),
      },
      // A watch wants the singular: the list's name answers 200 and then never an event.
      accept: scope.metadataOnly ? partial("PartialObjectMetadata") : undefined,
      signal: options.signal,
      stream: true,
      counts: { verb: "watch", resource: resource.plural },
    });
    for await (const event of decodeWatch(response.body!)) {
      yield { type: event.type, object: typed(slim(event.object), resource) };
    }
  }

  /** The end of a container's log. @param options.tailLines Lines from the end. */
  async logs(
    pod: { namespace: string; name: string },
    options: { container: string; previous?: boolean; tailLines?: number; limitBytes?: number },
  ): Promise<string> {
    const query: Record<string, string> = { container: options.container };
    if (options.previous) query.previous = "true";
    if (options.tailLines) query.tailLines = String(options.tailLines);
    if (options.limitBytes) query.limitBytes = String(options.limitBytes);
    const response = await this.request({
      method: "GET",
      path: `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${encodeURIComponent(pod.name)}/log`,
      query,
      accept: "*/*",
      timeoutMs: LOG_TIMEOUT_MS,
      counts: { verb: "get", resource: "pods/log" },
    });
    return await response.text();
  }
}

function createPool(credentials: Credentials): Deno.HttpClient {
  const { ca, cert, key } = credentials;
  // HTTP/2 request bodies wait for Nagle's algorithm on Deno 2.9 (47 ms each), and a watch wants a connection of its own.
  const common = { caCerts: ca ? [ca] : [], http1: true, http2: false };
  return cert && key ? Deno.createHttpClient({ ...common, cert, key }) : Deno.createHttpClient(common);
}

function selectors(scope: Scope): Record<string, string> {
  const query: Record<string, string> = {};
  if (scope.labelSelector) query.labelSelector = scope.labelSelector;
  if (scope.fieldSelector) query.fieldSelector = scope.fieldSelector;
  return query;
}

function partial(kind: string): string {
  return `application/json;as=${kind};g=meta.k8s.io;v=v1`;
}

/** managedFields are a fifth of what a cache would hold, and nothing here reads them. */
function slim(object: KubeObject): KubeObject {
  if (object?.metadata) delete (object.metadata as { managedFields?: unknown }).managedFields;
  return object;
}

/** Items of a list carry no kind, and partial ones the wrong one. */
function typed(object: KubeObject, resource: Resource): KubeObject {
  if (object.kind === "Status") return object;
  object.apiVersion = apiVersionOf(resource);
  object.kind = resource.kind;
  return object;
}
