import { type Answer, ask } from "./ask.ts";
import type { Settings } from "./settings.ts";

const SHOPPERS = 3;

/** They write to the shop and read what they wrote, now and long ago, one request after the other, until told to stop. */
export class Shoppers implements AsyncDisposable {
  /** Texts that the shop said it has, by their numbers. */
  readonly written = new Map<number, string>();
  /** How many requests a version has answered. */
  readonly answered: Record<string, number> = {};
  /** What was not answered as it should be. */
  readonly failures: string[] = [];
  readonly #url: string;
  readonly #settings: Settings;
  readonly #stop = new AbortController();
  readonly #shopping: Promise<void[]>;

  /** @param url Of the shop, by way of the ingress controller. */
  constructor(url: string, settings: Settings) {
    this.#url = url;
    this.#settings = settings;
    this.#shopping = Promise.all(Array.from({ length: SHOPPERS }, (_, shopper) => this.#shop(shopper)));
  }

  async #shop(shopper: number): Promise<void> {
    const numbers: number[] = [];
    for (let visit = 0; !this.#stop.signal.aborted; visit++) {
      const text = `${shopper} was here, visit ${visit} 🛒`;
      const number = Number(await this.#asked("POST /items", { body: text }));
      if (!Number.isInteger(number)) continue;
      this.written.set(number, text);
      numbers.push(number);
      const before = numbers[Math.floor(numbers.length / 2)]!;
      for (const each of [number, before]) await this.#expect(each);
    }
  }

  async #expect(number: number): Promise<void> {
    const text = await this.#asked(`GET /items/${number}`);
    const wanted = this.written.get(number)!;
    if (text !== undefined && text !== wanted) this.failures.push(`item ${number}: "${text}", not "${wanted}"`);
  }

  /** @param request Method and path. @returns What the version said; nothing where it failed. */
  async #asked(request: string, options: { body?: string } = {}): Promise<string | undefined> {
    const path = request.split(" ")[1]!;
    const { status, text } = await ask(`${this.#url}${path}`, { settings: this.#settings, ...options })
      .catch((error): Answer => ({ status: 0, text: error.message }));
    if (status !== 200) {
      this.failures.push(`${request}: ${status} ${text}`);
      return undefined;
    }
    const [version = "", ...rest] = text.split(" ");
    this.answered[version] = (this.answered[version] ?? 0) + 1;
    return rest.join(" ");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#shopping;
  }
}
