/**
 * One child process, from its start to the moment when nothing of it is left.
 *
 * Guarantees: it is over at the deadline; it is killed when it gives too much, or when nobody wants its answer; its exit
 * is waited for (no zombie), its streams are read or cancelled, and no promise is rejected unseen, however it ends.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";

/** What to run, and its bounds. */
export interface ChildOptions {
  /** Path of the program. It gets no environment. */
  path: string;
  args: readonly string[];
  /** Standard input. */
  input: string;
  deadlineMs: number;
  maxOutputBytes: number;
  clock: Clock;
  signal?: AbortSignal;
}

/** Why we ended it. */
export type Ending = "late" | "tooMuch" | "aborted";

/** How it ended. */
export interface ChildEnd {
  /** Exit status; 128 and more where a signal ended it. */
  code: number;
  /** Up to the bound. */
  stdout: string;
  /** The first {@link MAX_STDERR_BYTES} of it: what a runtime says about its end comes first. */
  stderr: string;
  /** Absent where it ended by itself. */
  ending?: Ending;
}

/** Most that is kept of standard error. */
export const MAX_STDERR_BYTES = 4096;

/** @throws {Error} When the program cannot be started. */
export async function runChild(options: ChildOptions): Promise<ChildEnd> {
  const child = new Deno.Command(options.path, {
    args: [...options.args],
    clearEnv: true,
    cwd: "/",
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return await new Child(child, options).end();
}

class Child {
  readonly #child: Deno.ChildProcess;
  readonly #options: ChildOptions;
  readonly #out: ReadableStreamDefaultReader<Uint8Array>;
  readonly #err: ReadableStreamDefaultReader<Uint8Array>;
  #ending: Ending | undefined;

  constructor(child: Deno.ChildProcess, options: ChildOptions) {
    this.#child = child;
    this.#options = options;
    this.#out = child.stdout.getReader();
    this.#err = child.stderr.getReader();
  }

  async end(): Promise<ChildEnd> {
    const { clock, deadlineMs, signal, maxOutputBytes } = this.#options;
    const disarm = clock.at(clock.now() + deadlineMs, () => this.#kill("late"));
    const abort = (): void => this.#kill("aborted");
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    try {
      const [status, stdout, stderr] = await Promise.all([
        this.#child.status,
        read(this.#out, { max: maxOutputBytes, beyond: () => this.#kill("tooMuch") }),
        read(this.#err, { max: MAX_STDERR_BYTES, beyond: () => {} }),
        this.#write(),
      ]);
      return { code: status.code, stdout, stderr, ending: this.#ending };
    } finally {
      disarm();
      signal?.removeEventListener("abort", abort);
    }
  }

  /** A child that ends early reads nothing more: how it ended says why. */
  async #write(): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    try {
      await writer.write(new TextEncoder().encode(this.#options.input));
      await writer.close();
    } catch {
      await writer.abort().catch(() => {});
    }
  }

  /** Also cancels the streams: a child of the child may hold them open. */
  #kill(ending: Ending): void {
    this.#ending ??= ending;
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It is over already.
    }
    for (const reader of [this.#out, this.#err]) reader.cancel().catch(() => {});
  }
}

/** Reads to the end, keeping the first bytes. */
async function read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { max, beyond }: { max: number; beyond: () => void },
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let left = max;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text + decoder.decode();
    if (value.length > left) beyond();
    text += decoder.decode(value.subarray(0, Math.max(0, left)), { stream: true });
    left -= value.length;
  }
}
