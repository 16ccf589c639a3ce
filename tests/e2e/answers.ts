import type { Cluster } from "./cluster.ts";

/** Asks a URL, one request after the other, until it is disposed of or asked for what went wrong. */
export class Answers implements AsyncDisposable {
  readonly #answers: string[] = [];
  readonly #stop = new AbortController();
  readonly #asking: Promise<void>;

  constructor(cluster: Pick<Cluster, "ask">, url: string) {
    this.#asking = this.#ask(cluster, url);
  }

  /** How many requests there were. */
  get count(): number {
    return this.#answers.length;
  }

  /** Ends it. @returns What was not answered with 200. */
  async failures(): Promise<string[]> {
    await this[Symbol.asyncDispose]();
    return this.#answers.filter((answer) => !answer.startsWith("200 "));
  }

  async #ask(cluster: Pick<Cluster, "ask">, url: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const answer = await cluster.ask(url).then(
        ({ status, text }) => `${status} ${text}`,
        (error) => `0 ${error.message}`,
      );
      this.#answers.push(answer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#asking;
  }
}
