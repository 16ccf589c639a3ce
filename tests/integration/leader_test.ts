/**
 * Two operator processes of one installation: who leads, how that moves, and that never two of them act. Who did what is
 * read from the audit log, where each names itself as the user agent.
 */
import assert from "node:assert/strict";
import { createControllers } from "../../cli/controllers.ts";
import type { KubeObject } from "../../lib/api/object.ts";
import { readCommandLine } from "../../lib/config.ts";
import { kubeconfigCredentials } from "../../lib/kube/credentials.ts";
import { KubeClient } from "../../lib/kube/client.ts";
import { DEFAULT_ELECTION } from "../../lib/runtime/elector.ts";
import { CHILD_SELECTOR } from "../../lib/runtime/ownership.ts";
import { Comparer } from "../asked_cluster.ts";
import { seededRandom, Wave } from "../asked_wave.ts";
import { auditMark, brief, type Request, requestsSince, writes } from "../audit.ts";
import { type ControlPlane, startControlPlane } from "../control_plane/control_plane.ts";
import { install, type Installed } from "../installed.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { OPERATOR } from "./previews.ts";

const FLAGS = ["--tls=none"];
const WAVE = 60;
const FREEZES = 6;
const QUIET_MS = 20_000;
/** Timers of one machine and times of day of another program: they need not agree to the last millisecond. */
const ROUNDING_MS = 50;

Deno.test("two replicas of the operator", async (t) => {
  await using plane = await startControlPlane({ nodes: 2 });
  const audit = plane.auditLogPath;
  // A cluster that is not ours does not show who did what.
  if (!audit) return;
  await using first = await install(plane, { flags: FLAGS, webhook: false });
  await using second = first.another();
  const kube = new KubeClient(await kubeconfigCredentials(plane.kubeconfigPath));
  const wave = new Wave(kube, seededRandom(4));
  const comparer = new Comparer(kube, FLAGS);
  const replicas = new Replicas([first, second], audit);

  await t.step("started at once without a lease, both are ready and one leads", async () => {
    await first.stop();
    await plane.kubectl(["delete", "lease", "maquette", "-n", "maquette-system"]);
    await replicas.start(first, second);
    const { leader, standby } = await replicas.roles();
    assert.notEqual(leader, standby);
    for (const { httpPort } of [first, second]) assert.equal(await status(`http://127.0.0.1:${httpPort}/readyz`), 200);
  });

  await t.step(`${QUIET_MS / 1000} quiet seconds: the leader renews, and nobody asks for anything else`, async () => {
    const { leader, standby } = await replicas.roles();
    const mark = await auditMark(audit);
    const until = performance.now() + QUIET_MS;
    await waitFor("the time to pass", () => performance.now() >= until, QUIET_MS + 10_000);
    const beside = (requests: Request[]): string[] => requests.filter(({ verb }) => verb !== "watch").map(brief);
    assert.deepEqual(beside(await replicas.requestsOf(standby, mark)), []);
    const renewals = beside(await replicas.requestsOf(leader, mark));
    assert.ok(renewals.length >= 5, "it renews");
    assert.ok(renewals.every((request) => /^update \S+\/leases\/maquette\?\S* 200$/.test(request)), renewals[0]);
  });

  await t.step(
    `SIGTERM in a wave of ${WAVE} creates: the other one takes the lease as soon as it is given up`,
    async () => {
      const { leader, standby } = await replicas.roles();
      const mark = await auditMark(audit);
      const sent = wave.create(WAVE);
      await replicas.untilBusy(leader, mark, 60);
      const toldAt = Date.now();
      assert.equal(await leader.stop(), 0);
      await replicas.untilLeading(standby);
      const released = (await replicas.leaseWrites(leader, mark)).at(-1)!;
      const [taken] = await replicas.leaseRequests(standby, mark);
      assert.equal(
        taken && brief(taken).split(" ")[0],
        "update",
        "it took the lease without asking for anything before",
      );
      assert.equal(taken!.code, 200);
      assert.ok(released.at <= taken!.at, "given up first, then taken");
      assert.ok(taken!.at - released.at < DEFAULT_ELECTION.renewDeadlineMs, "it did not wait until the lease ran out");
      say(
        `    lease given up ${released.at - toldAt} ms after SIGTERM was sent, taken ${
          taken!.at - released.at
        } ms later`,
      );
      await sent;
      await comparer.untilEqual(() => wave.asked);
      await replicas.start(leader);
    },
  );

  await t.step("kill -9 in a wave: the other one takes the lease when it has run out", async () => {
    const { leader, standby } = await replicas.roles();
    const mark = await auditMark(audit);
    const sent = wave.create(20);
    await replicas.untilBusy(leader, mark, 20);
    await leader.stop("SIGKILL");
    await replicas.untilLeading(standby);
    const renewed = (await replicas.leaseWrites(leader, 0)).at(-1)!;
    const [taken] = await replicas.leaseRequests(standby, mark);
    const waited = taken!.at - renewed.at;
    say(`    lease taken ${waited} ms after its last renewal`);
    assert.equal(taken!.code, 200);
    assert.ok(waited >= DEFAULT_ELECTION.leaseMs - ROUNDING_MS, "not before the lease ran out");
    await sent;
    await comparer.untilEqual(() => wave.asked);
    await replicas.start(leader);
  });

  /** Who was frozen, and when another one had taken its place. */
  const frozen: { identity: string; since: number }[] = [];
  for (let turn = 1; turn <= FREEZES; turn++) {
    await t.step(
      `frozen past its lease in a wave, it changes nothing when it wakes (${turn} of ${FREEZES})`,
      async () => {
        const { leader, standby } = await replicas.roles();
        const mark = await auditMark(audit);
        const sent = wave.create(20);
        await replicas.untilBusy(leader, mark, turn * 12);
        const there = await replicas.frozen(leader, async () => {
          await replicas.untilLeading(standby);
          await sent;
          await comparer.untilEqual(() => wave.asked);
          return await contentOfOurs(plane);
        });
        assert.equal(await leader.ended(), 1);
        assert.match(await leader.log(), /"Lease was lost"/);
        // What `fetch` was given and had not sent at that moment may arrive (see elector.ts): it changes nothing.
        const [taken] = await replicas.leaseRequests(standby, mark);
        frozen.push({ identity: replicas.identityOf(leader), since: taken!.at });
        const arrived = (await replicas.requestsOf(leader, mark)).filter(({ at }) => at >= taken!.at);
        say(`    woken, it made ${arrived.length} requests: ${arrived.map(brief).join(", ")}`);
        assert.deepEqual(await contentOfOurs(plane), there);
        assert.deepEqual(await comparer.problems(wave.asked), []);
        await replicas.start(leader);
      },
    );
  }

  await t.step("at no time did two act", async () => {
    const isLate = ({ userAgent, at }: Request): boolean =>
      frozen.some(({ identity, since }) => userAgent.includes(identity) && at >= since);
    const acts = (await replicas.allActs()).filter((request) => !isLate(request));
    const terms = acts.map(({ userAgent }) => userAgent).filter((agent, at, all) => agent !== all[at - 1]);
    say(`    ${acts.length} writes in ${terms.length} terms`);
    assert.deepEqual(terms, [...new Set(terms)]);
  });

  await t.step("nothing is left over", async () => {
    await plane.kubectl(["delete", "prenv", "--all", "--wait=false"]);
    await comparer.untilEqual(() => [], 180_000);
    for (const replica of [first, second]) assert.equal(await replica.metric("maquette_watch_missed_events_total"), 0);
  });
  kube.close();
});

/** Both processes, and what the audit log has of each. */
class Replicas {
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

/** Everything of ours, but what also changes with an apply of what is there (of an empty list, for one). */
async function contentOfOurs(plane: ControlPlane): Promise<KubeObject[]> {
  const needs = createControllers(readCommandLine(FLAGS, {}).config).flatMap(({ kind, owns }) => [
    { resource: kind, selector: [] },
    ...owns.map(({ resource }) => ({ resource, selector: ["-l", CHILD_SELECTOR] })),
  ]);
  const lists = await Promise.all(needs.map(async ({ resource: { plural, group }, selector }) => {
    const args = ["get", group ? `${plural}.${group}` : plural, "--all-namespaces", ...selector, "-o", "json"];
    const { items }: { items: KubeObject[] } = JSON.parse((await plane.kubectl(args)).stdout);
    // The status of children is their controllers' and may come late.
    return items.map((
      { metadata: { resourceVersion: _version, generation: _generation, ...metadata }, ...object },
    ) => ({
      ...object,
      metadata,
      status: selector.length === 0 ? object.status : undefined,
    } as KubeObject));
  }));
  return lists.flat().filter(({ kind }) => kind !== "Pod" && kind !== "Job");
}

function acts(requests: readonly Request[]): Request[] {
  return writes(requests).filter(({ uri }) => !/\/(leases|events)\b/.test(uri));
}

/** A figure that is worth knowing and not worth failing for. */
function say(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function status(url: string): Promise<number> {
  const response = await fetch(url);
  await response.body?.cancel();
  return response.status;
}
