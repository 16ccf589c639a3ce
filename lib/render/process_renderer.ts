/**
 * The renderer as a program of its own (render/), one process for each call: whatever a chart does to it, this process
 * goes on.
 *
 * @module
 */
import { z } from "zod";
import type { Clock } from "../runtime/clock.ts";
import { Gate } from "../runtime/gate.ts";
import { failed, fetched, forgotten, rendering } from "./answers.ts";
import { FETCHES, FETCHES_FROM_ONE_HOST, FETCHES_FROM_STRANGERS, RENDERINGS, RENDERINGS_OF_ONE } from "./bounds.ts";
import { type ChildEnd, type Ending, runChild } from "./child.ts";
import * as errors from "./render_error.ts";
import { hearingOf, RenderError } from "./render_error.ts";
import type { CallOptions, Fetched, FetchRequest, ForgetRequest, Forgotten } from "./renderer.ts";
import type { Renderer, Rendering, RenderRequest } from "./renderer.ts";
import { repositoryMachine } from "./repository_host.ts";

/** What the renderer needs. */
export interface ProcessRendererOptions {
  /** Path of the program. */
  path: string;
  clock: Clock;
  /** Renderings at a time: each may take as much memory as its limit. */
  renderings?: number;
  /** Fetches at a time. */
  fetches?: number;
}

const RENDER_SECONDS = 10;
const FETCH_SECONDS = 60;
/** The program ends by itself before; a machine that is busy may start it late. */
const GRACE_SECONDS = 15;
const OUTPUT_BYTES = 8 * 1024 * 1024;
/** What a failure may take beside the output. */
const SPARE_BYTES = 64 * 1024;

/** One call of the program. */
interface Call<T> extends CallOptions {
  command: string;
  request: object;
  answer: z.ZodType<T>;
  seconds: number;
  maxOutputBytes?: number;
}

/** A {@link Renderer} that runs the program `maquette-render`. */
export class ProcessRenderer implements Renderer {
  readonly #options: ProcessRendererOptions;
  readonly #renderings: Gate;
  readonly #fetches: Gate;

  constructor(options: ProcessRendererOptions) {
    this.#options = options;
    const hosts = { perGroup: FETCHES_FROM_ONE_HOST, strangers: FETCHES_FROM_STRANGERS };
    this.#renderings = new Gate(options.renderings ?? RENDERINGS, { perGroup: RENDERINGS_OF_ONE });
    this.#fetches = new Gate(options.fetches ?? FETCHES, hosts);
  }

  async fetch(request: FetchRequest, options: CallOptions = {}): Promise<Fetched> {
    const seconds = request.limits?.seconds ?? FETCH_SECONDS;
    const call = { ...options, command: "fetch", request, answer: fetched, seconds };
    return await this.#in(this.#fetches, call, repositoryMachine(request.repositoryUrl));
  }

  async forget(request: ForgetRequest, options: CallOptions = {}): Promise<Forgotten> {
    const call = { ...options, command: "forget", request, answer: forgotten, seconds: FETCH_SECONDS };
    return await this.#in(this.#fetches, call);
  }

  async render({ type, ...request }: RenderRequest, options: CallOptions = {}): Promise<Rendering> {
    const { seconds = RENDER_SECONDS, outputBytes: maxOutputBytes } = request.limits ?? {};
    const call = { ...options, command: type, request, answer: rendering, seconds, maxOutputBytes };
    return await this.#in(this.#renderings, call, options.owner);
  }

  async #in<T>(gate: Gate, call: Call<T>, group?: string): Promise<T> {
    try {
      return await gate.run(() => this.#call(call), { signal: call.signal, group, hearing: hearingOf });
    } catch (error) {
      if (call.signal?.aborted) throw endedByUs("aborted", call);
      throw error;
    }
  }

  async #call<T>(call: Call<T>): Promise<T> {
    const { path, clock } = this.#options;
    const { command, request, seconds, maxOutputBytes = OUTPUT_BYTES, signal } = call;
    const options = { path, args: [command], input: JSON.stringify(request), clock, signal };
    const bounds = {
      deadlineMs: (seconds + GRACE_SECONDS) * 1000,
      maxOutputBytes: maxOutputBytes + SPARE_BYTES,
    };
    const end = await runChild({ ...options, ...bounds }).catch((error) => {
      throw new RenderError(errors.RENDERER_MISSING, `Renderer "${path}" cannot be started: ${wordsOf(error)}`);
    });
    return answerOf(end, call);
  }
}

function answerOf<T>(end: ChildEnd, call: Call<T>): T {
  if (end.ending) throw endedByUs(end.ending, call);
  const document = parsed(end.stdout);
  const failure = failed.safeParse(document);
  if (failure.success) {
    const { reason, message, file, line } = failure.data.error;
    throw new RenderError(reason, message, { file, line });
  }
  if (end.code !== 0) throw crashed(end);
  const answer = call.answer.safeParse(document);
  if (answer.success) return answer.data;
  throw new RenderError(
    errors.RENDERER_GARBAGE,
    `Renderer gave no answer to "${call.command}": ${briefly(answer.error)}`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function endedByUs(ending: Ending, { command, seconds }: Call<unknown>): RenderError {
  if (ending === "aborted") return new RenderError(errors.ABORTED, `Renderer's "${command}" is not needed any more`);
  if (ending === "tooMuch") {
    return new RenderError(errors.OUTPUT_TOO_LARGE, `Renderer gave more than the limit to "${command}"`);
  }
  return new RenderError(errors.TIME_EXCEEDED, `Renderer's "${command}" took longer than ${seconds + GRACE_SECONDS} s`);
}

/** Go's runtime and the kernel end a process that wants too much memory without asking it. */
function crashed({ code, stderr }: ChildEnd): RenderError {
  const [first = ""] = stderr.trim().split("\n");
  const isOutOfMemory = code === 137 || /out of memory|cannot allocate memory|stack exceeds/.test(first + stderr);
  if (isOutOfMemory) {
    return new RenderError(errors.MEMORY_EXCEEDED, "Rendering took more memory than it may, and was ended");
  }
  const said = first === "" ? "" : `: ${first.slice(0, 200)}`;
  return new RenderError(errors.RENDERER_CRASHED, `Renderer ended with status ${code} and without an answer${said}`);
}

function briefly(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue ? `${issue.path.join(".") || "document"}: ${issue.message}` : "no reason";
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
