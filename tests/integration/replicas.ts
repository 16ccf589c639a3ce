/**
 * Two operator processes of one installation, for tests of who leads: each is a Pod of the operator's to the API server,
 * so that the fence is in force. What they did is read from the audit log, where each names itself as the user agent.
 *
 * @module
 */
import { type Request, requestsSince, writes } from "../audit.ts";
import type { Installed } from "../installed.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { OPERATOR } from "./previews.ts";

/** Both processes, and what the audit log has of each. */
export class Replicas {
  readonly #all: readonly Installed[];
  readonly #audit: string;
  /** How each names itself, or did before it ended. */
  readonly #identities = new Map<Installed, string>();

  constructor(all: readonly Installed[], audit: string) {
    this.#all = all;
    this.#audit = audit;
  }

  /** Starts processes at once; each has a name of its own every time. */
  async start(...replicas: Installed[]): Promise<void> {
    await Promise.all(replicas.map((replica) => replica.start()));
    for (const replica of replicas) {
      const lines = (await replica.log()).split("\n").filter((line) => line.includes('"Started"'));
      this.#identities.set(replica, JSON.parse(lines.at(-1)!).identity);
    }
  }

  /** Which of the two leads, as soon as one does. */
  async roles(): Promise<{ leader: Installed; standby: Installed }> {
    const leading = await waitUntil(
      "one replica to lead",
      () => Promise.all(this.#all.map((replica) => replica.metric("maquette_leader"))),
      (values) => values.reduce((sum, value) => sum + value, 0) === 1,
    );
    const leader = this.#all[leading.indexOf(1)]!;
    return { leader, standby: this.#all.find((replica) => replica !== leader)! };
  }

  async untilLeading(replica: Installed): Promise<void> {
    await waitFor("the other replica to lead", async () => await replica.metric("maquette_leader") === 1, 60_000);
  }

  /**
   * Waits until a replica knows who leads and asks no more: one that tried to make the lease and came second looks at it
   * once, however late.
   */
  async untilStandingBy(replica: Installed): Promise<void> {
    await waitFor("the other replica to stand by", async () => {
      const said = (await replica.log()).split('"Started"').at(-1)!;
      const asked = (await this.leaseRequests(replica, 0)).map(({ verb }) => verb);
      const count = (verb: string): number => asked.filter((other) => other === verb).length;
      return said.includes('"Standing by"') && count("create") === count("get");
    });
  }

  /** Waits until a replica has written so often since a mark. */
  async untilBusy(replica: Installed, mark: number, count: number): Promise<void> {
    await waitFor(
      `${count} writes of the leader`,
      async () => (await this.actsOf(replica, mark)).length >= count,
      60_000,
    );
  }

  identityOf(replica: Installed): string {
    return this.#identities.get(replica)!;
  }

  async requestsOf(replica: Installed, mark: number): Promise<Request[]> {
    const identity = this.identityOf(replica);
    return (await requestsSince(this.#audit, mark, OPERATOR)).filter(({ userAgent }) => userAgent.includes(identity));
  }

  /** Does something while a process stands still. */
  async frozen<T>({ pid }: Installed, work: () => Promise<T>): Promise<T> {
    Deno.kill(pid, "SIGSTOP");
    try {
      return await work();
    } finally {
      Deno.kill(pid, "SIGCONT");
    }
  }

  /** What a replica asked of the lease beyond watching it. */
  async leaseRequests(replica: Installed, mark: number): Promise<Request[]> {
    return (await this.requestsOf(replica, mark)).filter(({ uri, verb }) => /\/leases\b/.test(uri) && verb !== "watch");
  }

  /** Its writes of the lease that were accepted. */
  async leaseWrites(replica: Installed, mark: number): Promise<Request[]> {
    return (await this.leaseRequests(replica, mark)).filter(({ verb, code }) => verb === "update" && code === 200);
  }

  /** Its writes of what reconciling is about. */
  async actsOf(replica: Installed, mark: number): Promise<Request[]> {
    return acts(await this.requestsOf(replica, mark));
  }

  /** Those of all processes there ever were, in the order of their arrival. */
  async allActs(): Promise<Request[]> {
    return acts(await requestsSince(this.#audit, 0, OPERATOR)).sort((a, b) => a.at - b.at);
  }
}

function acts(requests: readonly Request[]): Request[] {
  return writes(requests).filter(({ uri }) => !/\/(leases|events)\b/.test(uri));
}
