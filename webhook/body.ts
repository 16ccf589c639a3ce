/**
 * Reads the body of a request that nobody vouches for.
 *
 * Guarantees: never more than the limit is held, whatever `content-length` says; a body that stops coming is given up;
 * what is returned is JSON of a depth that recursive code can walk.
 *
 * @module
 */
import { BodyReader } from "../lib/body_reader.ts";
import type { Clock } from "../lib/runtime/clock.ts";
import { Refusal } from "./refusal.ts";

/** Most bytes of a body: the API server's own objects end at 3 MiB, and an update carries two. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Time that a body may take, in milliseconds. The API server itself gives up after the webhook's timeout of 3 s. */
export const BODY_DEADLINE_MS = 10_000;
const BUFFER_BYTES = 64 * 1024;
/** Deepest nesting of objects and lists. No object of the API server comes near it. */
const MAX_DEPTH = 256;

/**
 * The JSON value that a request carries.
 *
 * @throws Refusal 415 for another content type, 413 over {@link MAX_BODY_BYTES}, 408 past {@link BODY_DEADLINE_MS},
 *   400 for what is no JSON
 */
export async function readJson(request: Request, clock: Clock): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new Refusal(415, `Content type must be application/json: ${JSON.stringify(type?.slice(0, 100) ?? "")}`);
  }
  const value = parse(await readBytes(request, clock));
  if (isDeeperThan(value, MAX_DEPTH)) throw new Refusal(400, `Body is nested deeper than ${MAX_DEPTH} levels`);
  return value;
}

async function readBytes(request: Request, clock: Clock): Promise<Uint8Array> {
  if (!request.body) return new Uint8Array();
  const reader = new BodyReader(request.body, bufferBytes(request));
  const chunks: Uint8Array[] = [];
  let isLate = false;
  const cancelTimer = clock.at(clock.now() + BODY_DEADLINE_MS, () => {
    isLate = true;
    void reader.cancel();
  });
  try {
    for (let size = 0, part = await reader.read(); part; part = await reader.read()) {
      size += part.length;
      if (size > MAX_BODY_BYTES) throw new Refusal(413, `Body is over ${MAX_BODY_BYTES} bytes`);
      chunks.push(part.slice());
    }
  } catch (error) {
    void reader.cancel();
    throw error instanceof Refusal ? error : new Refusal(400, "Body ended before it was complete");
  } finally {
    cancelTimer();
  }
  if (isLate) throw new Refusal(408, `Body took longer than ${BODY_DEADLINE_MS / 1000} seconds`);
  return joined(chunks);
}

/** What the client says of the length is only good for guessing what to hold at once. */
function bufferBytes({ headers }: Request): number {
  const length = Number(headers.get("content-length"));
  return length > 0 && length < BUFFER_BYTES ? length : BUFFER_BYTES;
}

function joined(chunks: Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  chunks.reduce((offset, chunk) => {
    bytes.set(chunk, offset);
    return offset + chunk.length;
  }, 0);
  return bytes;
}

function parse(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw new Refusal(400, "Body is empty");
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const what = error instanceof SyntaxError ? "JSON" : "UTF-8";
    throw new Refusal(400, `Body is not ${what}`);
  }
}

/** Level by level and not by recursion: the value may be nested millions deep. */
function isDeeperThan(value: unknown, depth: number): boolean {
  let level = [value];
  for (let at = 0; level.length > 0; at++) {
    if (at > depth) return true;
    level = level.flatMap((item) => typeof item === "object" && item !== null ? Object.values(item) : []);
  }
  return false;
}
