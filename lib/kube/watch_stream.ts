/**
 * Decodes the body of a watch: one JSON object per line.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { BodyReader } from "../body_reader.ts";
import { KubeError } from "./errors.ts";

/** Holds most events whole. */
const BUFFER_BYTES = 16 * 1024;

/** One event of a watch. */
export interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  object: KubeObject;
}

/**
 * Events of a watch until its body ends. A last line without its end is what a broken connection leaves: it is
 * dropped, because the watch goes on from the version before it.
 *
 * @throws {KubeError} On an ERROR event (410 Expired among them).
 * @throws {SyntaxError} On a whole line that is not JSON.
 */
export async function* decodeWatch(body: ReadableStream<Uint8Array>): AsyncGenerator<WatchEvent> {
  const reader = new BodyReader(body, BUFFER_BYTES);
  const decoder = new LineDecoder();
  try {
    for (let piece = await reader.read(); piece; piece = await reader.read()) {
      for (const line of decoder.linesOf(piece)) yield eventOf(line);
    }
  } finally {
    await reader.cancel();
  }
}

function eventOf(line: string): WatchEvent {
  const event = JSON.parse(line);
  if (event.type !== "ERROR") return event;
  const { code, reason, message, details } = event.object ?? {};
  const retryAfterMs = Number(details?.retryAfterSeconds) * 1000 || undefined;
  throw new KubeError(code ?? 500, reason ?? "", message ?? "Watch failed", retryAfterMs);
}

/** Cuts bytes into lines; what has no end yet waits for it. */
class LineDecoder {
  readonly #decoder = new TextDecoder();
  /** Of the last line, in a list: joining at every piece would copy a long line again and again. */
  #parts: string[] = [];

  /** Lines that end in these bytes, without empty ones. */
  linesOf(bytes: Uint8Array): string[] {
    const [first, ...others] = this.#decoder.decode(bytes, { stream: true }).split("\n");
    this.#parts.push(first!);
    if (others.length === 0) return [];
    const rest = others.pop()!;
    const lines = [this.#parts.join(""), ...others];
    this.#parts = [rest];
    return lines.filter((line) => line.trim() !== "");
  }
}
