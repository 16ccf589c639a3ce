/**
 * An API server for tests, in this process: a `fetch` for {@link KubeClient} with a small store behind it, which writes
 * down every request and does what a script says. For what a script alone can show: conflicts, 410, connections that
 * break or fall silent, answers that come late, *no request at all*.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { apiVersionOf, type KubeObject, type Resource } from "../api/object.ts";
import type { Credentials } from "./credentials.ts";
import { KubeError } from "./errors.ts";
import { parseRequest, type ScriptedRequest } from "./scripted_request.ts";
import { ScriptedStore, type StoreEvent, tableOf } from "./scripted_store.ts";
import { type Breakage, ScriptedWatch, type ServerClock, type WatchScope } from "./scripted_watch.ts";

/** Which requests a script is about; what is left out is any. */
export interface Match {
  /** As in metrics: get, list, watch, create, apply, apply-status, patch, update, delete. */
  verb?: string;
  resource?: string;
  name?: string;
}

/** What happens to a request. */
export type Fault =
  /** Is refused; `retryAfterMs` becomes the header. */
  | KubeError
  /** No answer: the connection breaks before the request is read. */
  | "reset"
  /** The request is carried out, and the connection breaks before the answer. */
  | "lost"
  /** No answer until the client gives up. */
  | "hang"
  /** A watch begins and is broken. */
  | { watch: Breakage };

const MOST_REQUESTS = 10_000;

interface Script {
  match: Match;
  times: number;
  fault?: Fault;
  before?: () => unknown;
  after?: () => unknown;
}

/** Where {@link KubeClient} believes the server to be. */
export const SCRIPTED_CREDENTIALS: Credentials = Object.freeze({ server: "http://scripted.invalid" });

export interface ScriptedServerOptions {
  /** Resources that are served: their kinds by path. */
  resources: readonly Resource[];
  clock?: ServerClock;
  /** Milliseconds between bookmarks. */
  bookmarkMs?: number;
  /** Watches show a write before the writer has its answer; else a moment after. A real server does both. */
  eventsFirst?: boolean;
}

/** See the module. */
export class ScriptedServer {
  readonly store: ScriptedStore;
  /** Every request, in the order of their arrival. */
  readonly requests: ScriptedRequest[] = [];
  readonly #options: ScriptedServerOptions;
  readonly #resources: Map<string, Resource>;
  readonly #watches = new Set<ScriptedWatch>();
  readonly #pages = new Map<string, { items: KubeObject[]; version: number }>();
  #scripts: Script[] = [];

  constructor(options: ScriptedServerOptions) {
    this.#options = options;
    this.#resources = new Map(options.resources.map((resource) => [tableOf(resource), resource]));
    this.store = new ScriptedStore(() => options.clock?.now() ?? 0);
    this.store.follow((event) => this.#show(event));
  }

  /** Stands in for the global `fetch`. */
  readonly fetch = (async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const signal = init?.signal ?? new AbortController().signal;
    signal.throwIfAborted();
    return await this.answer(new Request(input, init), signal);
  }) as typeof fetch;

  /** Stands behind a real listener. */
  async answer(request: Request, signal = new AbortController().signal): Promise<Response> {
    const parsed = parseRequest(request, await request.text());
    this.requests.push(parsed);
    // A client that asks in a loop would never let a test come to its assertions.
    if (this.requests.length > MOST_REQUESTS) await new Promise((resolve) => setImmediate(resolve));
    return await this.#answer(parsed, signal);
  }

  /** Requests that change something. */
  get writes(): ScriptedRequest[] {
    return this.requests.filter(({ verb }) => !["get", "list", "watch"].includes(verb));
  }

  /** Watches that are open. */
  get openWatches(): number {
    return this.#watches.size;
  }

  /** How many requests came. */
  count(match: Match = {}): number {
    return this.requests.filter((request) => matches(request, match)).length;
  }

  /** Forgets the requests so far. */
  forget(): void {
    this.requests.length = 0;
  }

  /** The next requests of a sort fail. */
  fail(match: Match, fault: Fault, times = 1): void {
    this.#scripts.push({ match, fault, times });
  }

  /** Something happens just before, or just after, the next request of a sort is carried out. */
  interpose(match: Match, { before, after }: Pick<Script, "before" | "after">): void {
    this.#scripts.push({ match, before, after, times: 1 });
  }

  /** All watches that are open break. */
  breakWatches(how: Breakage): void {
    for (const watch of [...this.#watches]) watch.break(how);
  }

  /** Takes back what the script still holds. */
  mend(): void {
    this.#scripts = [];
  }

  async #answer(request: ScriptedRequest, signal: AbortSignal): Promise<Response> {
    const script = this.#scripts.find(({ match }) => matches(request, match));
    if (script && --script.times <= 0) this.#scripts = this.#scripts.filter((other) => other !== script);
    await script?.before?.();
    const { fault } = script ?? {};
    if (fault === "hang") await hang(signal);
    if (fault === "reset") throw reset();
    try {
      if (fault instanceof KubeError) throw fault;
      const response = this.#carryOut(request, signal, typeof fault === "object" ? fault.watch : undefined);
      await script?.after?.();
      if (fault === "lost") throw reset();
      return response;
    } catch (error) {
      if (error instanceof KubeError) return refusal(error);
      throw error;
    }
  }

  #carryOut(request: ScriptedRequest, signal: AbortSignal, breakage?: Breakage): Response {
    const resource = this.#resources.get(request.table);
    if (!resource) throw new KubeError(404, "NotFound", "the server could not find the requested resource");
    const { store } = this;
    const { key, body, author } = request;
    if (request.verb === "list") return this.#list(request, resource);
    if (request.verb === "watch") return this.#watch(request, { resource, signal, breakage });
    if (request.verb === "get") return json(store.get(resource, key));
    if (request.verb === "create") return json(store.create(resource, body as KubeObject, author), 201);
    if (request.verb === "update") return json(store.replace(resource, body as KubeObject, author));
    if (request.verb === "patch") return json(store.patch(resource, key, body as never, author));
    if (request.verb === "delete") return json(store.remove(resource, key, (body as Deletion | null)?.preconditions));
    const { object, isNew } = store.apply(resource, body as KubeObject, { force: request.force, author });
    return json(object, isNew ? 201 : 200);
  }

  #list(request: ScriptedRequest, resource: Resource): Response {
    const { limit, continue: token } = request.query;
    const scope = scopeOf(request);
    const known = token === undefined
      ? { items: this.store.list(resource).filter(scope.matches), version: this.store.version }
      : this.#pages.get(token.split(":")[0]!);
    if (!known) throw new KubeError(410, "Expired", "The provided continue parameter is too old");
    const start = Number(token?.split(":")[1] ?? 0);
    const end = limit ? start + Number(limit) : Infinity;
    const id = token?.split(":")[0] ?? String(this.#pages.size + 1);
    const isMore = known.items.length > end;
    if (isMore) this.#pages.set(id, known);
    // The server leaves out the kind of a list's items.
    const items = known.items.slice(start, end).map((object) => ({
      ...scope.shown(object),
      apiVersion: undefined,
      kind: undefined,
    }));
    const metadata = { resourceVersion: String(known.version), ...(isMore ? { continue: `${id}:${end}` } : {}) };
    return json({ kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items });
  }

  #watch(
    request: ScriptedRequest,
    { resource, signal, breakage }: { resource: Resource; signal: AbortSignal; breakage?: Breakage },
  ): Response {
    const missed = this.store.since(Number(request.query.resourceVersion));
    const watch = new ScriptedWatch({
      resource: tableOf(resource),
      scope: scopeOf(request),
      clock: this.#options.clock,
      timeoutSeconds: Number(request.query.timeoutSeconds),
      bookmarkMs: this.#options.bookmarkMs ?? 60_000,
      type: { apiVersion: apiVersionOf(resource), kind: resource.kind },
      version: () => this.store.version,
      onEnd: (ended) => this.#watches.delete(ended),
    });
    this.#watches.add(watch);
    signal.addEventListener("abort", () => watch.abort(signal.reason));
    // The list's name on a watch: 200, and then never an event (seen on a real server).
    if (request.accept.includes("PartialObjectMetadataList")) watch.break("silence");
    if (breakage) watch.break(breakage);
    for (const event of missed) watch.show(event);
    return new Response(watch.body, { headers: { "content-type": "application/json" } });
  }

  #show(event: StoreEvent): void {
    const show = (): void => {
      for (const watch of [...this.#watches]) watch.show(event);
    };
    if (this.#options.eventsFirst) show();
    else if (this.#watches.size > 0) setImmediate(show);
  }
}

interface Deletion {
  preconditions?: { uid?: string; resourceVersion?: string };
}

function matches(request: ScriptedRequest, { verb, resource, name }: Match): boolean {
  return (verb ?? request.verb) === request.verb && (resource ?? request.resource) === request.resource &&
    (name ?? request.name) === request.name;
}

/** Selection by namespace, by labels for equality or presence, and by `metadata.name`. */
function scopeOf({ namespace, query, accept }: ScriptedRequest): WatchScope {
  const labels = (query.labelSelector ?? "").split(",").filter(Boolean).map((term) =>
    term.split("=") as [string, string?]
  );
  const name = query.fieldSelector?.replace("metadata.name=", "");
  return {
    matches: ({ metadata }) =>
      (namespace === undefined || metadata.namespace === namespace) && (name === undefined || metadata.name === name) &&
      labels.every(([label, value]) => {
        const found = metadata.labels?.[label];
        return found !== undefined && found === (value ?? found);
      }),
    shown: ({ metadata, ...rest }) =>
      accept.includes("PartialObjectMetadata")
        ? { apiVersion: "meta.k8s.io/v1", kind: "PartialObjectMetadata", metadata: { ...metadata } }
        : { ...rest, metadata: { ...metadata } } as KubeObject,
  };
}

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}

function refusal({ status: code, reason, message, retryAfterMs }: KubeError): Response {
  const headers = new Headers({ "content-type": "application/json" });
  if (retryAfterMs !== undefined) headers.set("retry-after", String(retryAfterMs / 1000));
  const body = { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message };
  return new Response(JSON.stringify(body), { status: code, headers });
}

function reset(): TypeError {
  return new TypeError("Connection reset by peer (os error 104)");
}

function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason));
  });
}
