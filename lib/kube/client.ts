/**
 * A thin Kubernetes client on Deno's own `fetch`. It keeps no state but its two connection pools: caching, watching and
 * retrying are the runtime's. `request` is like the community client's `performRequest`: either can stand here.
 *
 * Guarantees: every response body is consumed or cancelled; every request but a watch ends within its timeout; refusals
 * are thrown as {@link KubeError}; the token is asked for at every request.
 *
 * @module
 */
import type { KubeObject, Resource } from "../api/object.ts";
import { slim, typed } from "./answers.ts";
import type { KubeClientOptions, Page, RequestOptions, Scope } from "./client_options.ts";
import { type ApplyOptions, applyRequest, isOtherUid } from "./apply.ts";
import type { Credentials } from "./credentials.ts";
import { Ending } from "./ending.ts";
import { KubeError, refusalOf } from "./errors.ts";
import { type JsonPatch, objectPath, type Target } from "./paths.ts";
import { createPools, type Pools } from "./pools.ts";
import { decodeWatch, type WatchEvent } from "./watch_stream.ts";

export type { KubeClientOptions, Page, RequestObserver, RequestOptions, Scope } from "./client_options.ts";

/** A log comes from a node, which may be gone: no caller waits long for it. */
const LOG_TIMEOUT_MS = 3_000;
const DEFAULT_TIMEOUT_MS = 30_000;

/** Talks to one API server. */
export class KubeClient {
  readonly #credentials: Credentials;
  readonly #options: KubeClientOptions;
  readonly #pools: Pools;

  /** @param pools Connections of another client; default: its own. */
  constructor(credentials: Credentials, options: KubeClientOptions = {}, pools: Pools = createPools(credentials)) {
    this.#credentials = credentials;
    this.#options = options;
    this.#pools = pools;
  }

  /** The same client with other options, on the same connections: they end when either is closed. */
  with(options: Pick<KubeClientOptions, "guard" | "timeoutMs" | "impersonate" | "observe">): KubeClient {
    return new KubeClient(this.#credentials, { ...this.#options, ...options }, this.#pools);
  }

  /** Ends all connections. */
  close(): void {
    this.#pools.requests.close();
    this.#pools.watches.close();
  }

  /**
   * One request, and what is made of its answer within the client's time.
   *
   * @param read Reads the body or cancels it.
   * @throws {KubeError} On any answer that is not 2xx. @throws What the guard throws.
   */
  async request<T>(options: RequestOptions, read: (response: Response) => Promise<T>): Promise<T> {
    const headers = await this.#headers(options);
    const guard = options.method === "GET" ? undefined : this.#options.guard;
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    using ending = new Ending(options.stream ? 0 : timeoutMs, [options.signal, guard?.signal]);
    const init = {
      method: options.method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      // A stream lives on when this block is over.
      signal: options.stream ? options.signal : ending.signal,
      client: options.stream ? this.#pools.watches : this.#pools.requests,
    };
    // Nothing is waited for between this and `fetch`: the process may be frozen at any time.
    guard?.check();
    return await read(await this.#send(options, init));
  }

  /** A plain object: making a Headers of it first costs as much as the rest of a request's preparation. */
  async #headers(options: RequestOptions): Promise<Record<string, string>> {
    const token = await this.#credentials.token?.();
    return {
      accept: options.accept ?? "application/json",
      "user-agent": this.#options.userAgent ?? "maquette",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(this.#options.impersonate ? { "impersonate-user": this.#options.impersonate } : {}),
      ...(options.body === undefined ? {} : { "content-type": options.contentType ?? "application/json" }),
    };
  }

  async #send({ path, query, counts }: RequestOptions, init: RequestInit): Promise<Response> {
    const search = query && Object.keys(query).length ? `?${new URLSearchParams(query)}` : "";
    let code = 0;
    try {
      const response = await (this.#options.fetch ?? fetch)(`${this.#credentials.server}${path}${search}`, init);
      code = response.status;
      if (!response.ok) throw await refusalOf(response);
      return response;
    } finally {
      this.#options.observe?.(counts.verb, counts.resource, code);
    }
  }

  async #object(options: RequestOptions): Promise<KubeObject> {
    return slim(await this.request(options, (response) => response.json()));
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
    await this.request({
      method: "DELETE",
      path: objectPath(resource, target),
      body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Background", preconditions: seen },
      counts: { verb: "delete", resource: resource.plural },
      // Read to its end: a connection whose answer is cancelled is not used again.
    }, (response) => response.arrayBuffer());
  }

  /** One page of a list. @param page `next` of the page before. @throws {KubeError} 410 when `next` is too old. */
  async list(
    resource: Resource,
    scope: Scope,
    page: { limit: number; next?: string; signal?: AbortSignal },
  ): Promise<Page> {
    const list = await this.request({
      method: "GET",
      path: objectPath(resource, { namespace: scope.namespace }),
      query: { ...selectors(scope), limit: String(page.limit), ...(page.next ? { continue: page.next } : {}) },
      accept: scope.metadataOnly ? partial("PartialObjectMetadataList") : undefined,
      signal: page.signal,
      counts: { verb: "list", resource: resource.plural },
    }, (response) => response.json());
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
    const body = await this.request({
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
    }, (response) => Promise.resolve(response.body!));
    for await (const event of decodeWatch(body)) {
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
    return await this.request({
      method: "GET",
      path: `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${encodeURIComponent(pod.name)}/log`,
      query,
      accept: "*/*",
      timeoutMs: LOG_TIMEOUT_MS,
      counts: { verb: "get", resource: "pods/log" },
    }, (response) => response.text());
  }
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
