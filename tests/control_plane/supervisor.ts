import { TextLineStream } from "./lines.ts";

interface Event {
  folder?: string;
  started?: string;
  pid?: number;
  exited?: string;
  code: number;
  error?: string;
}

/** A process that the supervisor started. */
export interface Running {
  pid: number;
  /** Its exit code, -1 after a signal, once it has ended. */
  exited: Promise<number>;
}

interface Child {
  started: PromiseWithResolvers<number>;
  exited: PromiseWithResolvers<number>;
}

/**
 * The other end of the supervisor program (supervisor/main.go): a temporary folder, and processes that end together with
 * this one, however it ends.
 */
export class Supervisor {
  /** The temporary folder; `logs/<name>.log` in it has the output of each process. */
  readonly folder: string;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #children = new Map<string, Child>();
  readonly #reading: Promise<void>;
  #ending: Promise<void> | undefined;

  private constructor(process: Deno.ChildProcess, folder: string, events: ReadableStreamDefaultReader<string>) {
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.folder = folder;
    this.#reading = this.#read(events);
  }

  /** Starts the program, which makes the temporary folder. */
  static async start(program: string): Promise<Supervisor> {
    const process = new Deno.Command(program, { stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
    const events = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
    const { value } = await events.read();
    const { folder } = JSON.parse(value ?? "{}") as Event;
    if (!folder) throw new Error("Failed to start the supervisor: it said nothing");
    return new Supervisor(process, folder, events);
  }

  /** Process id of the supervisor itself. */
  get pid(): number {
    return this.#process.pid;
  }

  /**
   * Starts a process under a name that no running one has.
   *
   * @throws Error when the program cannot be started, or runs already
   */
  async run(name: string, command: string[]): Promise<Running> {
    if (this.#children.has(name)) throw new Error(`Failed to start ${name}: it is running`);
    const child = { started: Promise.withResolvers<number>(), exited: Promise.withResolvers<number>() };
    this.#children.set(name, child);
    await this.#send({ start: name, command });
    return { pid: await child.started.promise, exited: child.exited.promise };
  }

  /** Ends a process: SIGTERM and two seconds later SIGKILL, or SIGKILL at once; returns when it is gone. */
  async end(name: string, how: "stop" | "kill"): Promise<void> {
    const child = this.#children.get(name);
    if (!child) return;
    await this.#send({ [how]: name });
    await child.exited.promise;
  }

  /** Ends everything and removes the folder. A second call waits for the first. */
  async stop(): Promise<void> {
    this.#ending ??= this.#stop();
    await this.#ending;
  }

  async #stop(): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#process.status;
    await this.#reading;
  }

  async #send(request: Record<string, unknown>): Promise<void> {
    await this.#input.write(new TextEncoder().encode(JSON.stringify(request) + "\n"));
  }

  async #read(events: ReadableStreamDefaultReader<string>): Promise<void> {
    for (let next = await events.read(); !next.done; next = await events.read()) {
      const event = JSON.parse(next.value) as Event;
      if (event.started) this.#children.get(event.started)?.started.resolve(event.pid!);
      if (event.exited) this.#exited(event.exited, event);
    }
    for (const name of [...this.#children.keys()]) this.#exited(name, { code: -1, error: "the supervisor has ended" });
  }

  #exited(name: string, event: Event): void {
    const child = this.#children.get(name);
    this.#children.delete(name);
    // Whoever waits for a start that failed hears of it; nobody has to wait.
    child?.started.promise.catch(() => {});
    child?.started.reject(new Error(`Failed to start ${name}: ${event.error ?? `exit code ${event.code}`}`));
    child?.exited.resolve(event.code);
  }
}
