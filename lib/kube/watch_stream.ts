/**
 * Decodes the body of a watch: one JSON object per line.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { KubeError } from "./errors.ts";

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
  for await (const line of lines(body)) {
    const event = JSON.parse(line);
    if (event.type === "ERROR") {
      const { code, reason, message, details } = event.object ?? {};
      const retryAfter = Number(details?.retryAfterSeconds);
      throw new KubeError(
        code ?? 500,
        reason ?? "",
        message ?? "Watch failed",
        retryAfter ? retryAfter * 1000 : undefined,
      );
    }
    yield event;
  }
}

async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // Parts of a line are kept in a list: joining at every chunk would copy a long line again and again.
  let parts: string[] = [];
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      parts.push(text.slice(start, end));
      const line = parts.join("");
      parts = [];
      start = end + 1;
      if (line.trim() !== "") yield line;
    }
    if (start < text.length) parts.push(text.slice(start));
  }
}
