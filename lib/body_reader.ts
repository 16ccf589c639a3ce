/**
 * Reads a body piece by piece into one buffer that is used again and again.
 *
 * Deno's own readers make a buffer of 64 KiB for every piece, however small it is: clearing and collecting those was a
 * third of what a small request or watch event costs.
 *
 * @module
 */

/** See the module. */
export class BodyReader {
  readonly #bytes: ReadableStreamBYOBReader | undefined;
  readonly #pieces: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #buffer: ArrayBuffer;

  /** @param bufferBytes Longest piece, where the body comes from the network. */
  constructor(body: ReadableStream<Uint8Array>, bufferBytes: number) {
    this.#buffer = new ArrayBuffer(bufferBytes);
    this.#bytes = byteReader(body);
    if (!this.#bytes) this.#pieces = body.getReader();
  }

  /** The next piece, which the one after it overwrites; undefined at the end. @throws What broke the body. */
  async read(): Promise<Uint8Array | undefined> {
    if (!this.#bytes) return (await this.#pieces!.read()).value;
    const { value, done } = await this.#bytes.read(new Uint8Array(this.#buffer));
    if (value) this.#buffer = value.buffer;
    return done ? undefined : value;
  }

  /** Lets go of the body, also while a piece is waited for. Never throws: one that is broken need not be told. */
  async cancel(): Promise<void> {
    await (this.#bytes ?? this.#pieces!).cancel().catch(() => {});
  }
}

/** Bodies from the network can be read into a buffer; those that a program makes up often cannot. */
function byteReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch (error) {
    if (error instanceof TypeError && !body.locked) return undefined;
    throw error;
  }
}
