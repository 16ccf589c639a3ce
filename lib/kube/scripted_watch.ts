/**
 * One open watch of the scripted API server: events, bookmarks, its server-side timeout, and the ways in which a watch
 * goes wrong.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import type { KubeError } from "./errors.ts";
import type { StoreEvent } from "./scripted_store.ts";

/** The clock that the server lives by; the runtime's fits. */
export interface ServerClock {
  now(): number;
  at(epochMs: number, callback: () => void): () => void;
}

/** How a running watch breaks. */
export type Breakage =
  /** The server ends it, as it does after `timeoutSeconds`. */
  | "close"
  /** The connection is reset. */
  | "reset"
  /** Half of an event's line, then the end. */
  | "halfLine"
  /** Nothing comes any more, no bookmark either: a black hole. */
  | "silence"
  /** Bookmarks come, events do not. */
  | "blindness"
  /** An ERROR event, then the end. */
  | KubeError;

/** What a watch shows. */
export interface WatchScope {
  matches(object: KubeObject): boolean;
  shown(object: KubeObject): KubeObject;
}

export interface ScriptedWatchOptions {
  /** `plural.group` */
  resource: string;
  scope: WatchScope;
  /** Without one there are no bookmarks and no timeout. */
  clock?: ServerClock;
  timeoutSeconds: number;
  bookmarkMs: number;
  /** Apiversion and kind, for bookmarks. */
  type: { apiVersion: string; kind: string };
  version: () => number;
  onEnd: (watch: ScriptedWatch) => void;
}

const encoder = new TextEncoder();

/** See the module. */
export class ScriptedWatch {
  readonly resource: string;
  readonly body: ReadableStream<Uint8Array>;
  readonly #options: ScriptedWatchOptions;
  readonly #cancels = new Map<"timeout" | "bookmark", () => void>();
  #stream!: ReadableStreamDefaultController<Uint8Array>;
  /** What it has shown already, when it begins in the past. */
  #shown = 0;
  #state: "open" | "blind" | "silent" | "over" = "open";

  constructor(options: ScriptedWatchOptions) {
    this.#options = options;
    this.resource = options.resource;
    this.body = new ReadableStream({
      start: (controller) => void (this.#stream = controller),
      cancel: () => this.#end(),
    });
    const { clock, timeoutSeconds } = options;
    if (!clock) return;
    this.#cancels.set("timeout", clock.at(clock.now() + timeoutSeconds * 1000, () => this.break("close")));
    this.#bookmarkLater(clock);
  }

  /** Shows a change, if it is in scope and nothing is broken. */
  show(event: StoreEvent): void {
    if (this.#state !== "open" || event.resource !== this.resource || event.version <= this.#shown) return;
    this.#shown = event.version;
    const line = this.#lineOf(event);
    if (line) this.#send(`${line}\n`);
  }

  /** From now on the watch is broken. */
  break(how: Breakage): void {
    if (this.#state === "over") return;
    if (how === "silence") this.#state = "silent";
    else if (how === "blindness") this.#state = "blind";
    else this.#finish(how);
  }

  /** The client went away. */
  abort(reason: unknown): void {
    if (this.#state === "over") return;
    this.#end();
    this.#stream.error(reason);
  }

  #finish(how: "close" | "reset" | "halfLine" | KubeError): void {
    // Into a black hole goes the end of the watch, too.
    if (how === "close" && this.#state === "silent") return;
    this.#end();
    if (how === "reset") return this.#stream.error(new TypeError("Connection reset by peer (os error 104)"));
    if (how === "halfLine") this.#send('{"type":"MODIFIED","object":{"metadata":{"name":"ha');
    else if (how !== "close") this.#send(`${errorLine(how)}\n`);
    this.#stream.close();
  }

  #end(): void {
    this.#state = "over";
    for (const cancel of this.#cancels.values()) cancel();
    this.#options.onEnd(this);
  }

  #bookmarkLater(clock: ServerClock): void {
    const { bookmarkMs, type, version } = this.#options;
    const cancel = clock.at(clock.now() + bookmarkMs, () => {
      this.#bookmarkLater(clock);
      if (this.#state === "silent") return;
      const object = { ...type, metadata: { resourceVersion: String(version()) } };
      this.#send(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
    });
    this.#cancels.set("bookmark", cancel);
  }

  #lineOf({ version, before, after }: StoreEvent): string | undefined {
    const { matches, shown } = this.#options.scope;
    const wasIn = before !== undefined && matches(before);
    const isIn = after !== undefined && matches(after);
    if (!wasIn && !isIn) return undefined;
    const type = isIn ? wasIn ? "MODIFIED" : "ADDED" : "DELETED";
    const object = shown(isIn ? after : before!);
    object.metadata.resourceVersion = String(version);
    return JSON.stringify({ type, object });
  }

  #send(text: string): void {
    this.#stream.enqueue(encoder.encode(text));
  }
}

function errorLine({ status: code, reason, message, retryAfterMs }: KubeError): string {
  const details = retryAfterMs === undefined ? undefined : { retryAfterSeconds: retryAfterMs / 1000 };
  const object = { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, details };
  return JSON.stringify({ type: "ERROR", object });
}
