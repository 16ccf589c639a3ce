/**
 * Two operator processes of one installation: who leads, how that moves, and that never two of them act. Who did what is
 * read from the audit log, where each names itself as the user agent.
 */
import assert from "node:assert/strict";
import { ANNOTATION_LEADER } from "../../lib/api/names.ts";
import { NAMESPACE as NAMESPACES } from "../../lib/api/resources.ts";
import { kubeconfigCredentials } from "../../lib/kube/credentials.ts";
import { KubeClient } from "../../lib/kube/client.ts";
import { DEFAULT_ELECTION } from "../../lib/runtime/elector.ts";
import { Comparer } from "../asked_cluster.ts";
import { seededRandom, Wave } from "../asked_wave.ts";
import { auditMark, brief, isAccepted, type Request } from "../audit.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install, NAMESPACE } from "../installed.ts";
import { waitFor } from "../wait.ts";
import { Replicas } from "./replicas.ts";

const FLAGS = ["--tls=none"];
const WAVE = 60;
const FREEZES = 3;
/** Two Pods, of which one is called as the other one begins. */
const PODS = ["maquette-a", "maquette-a-b"] as const;
const QUIET_MS = 20_000;
/** Timers of one machine and times of day of another program: they need not agree to the last millisecond. */
const ROUNDING_MS = 50;

Deno.test("two replicas of the operator", async (t) => {
  await using plane = await startControlPlane({ nodes: 2 });
  const audit = plane.auditLogPath;
  // A cluster that is not ours does not show who did what.
  if (!audit) return;
  await using first = await install(plane, { flags: FLAGS, webhook: false, pod: PODS[0] });
  await using second = first.another(PODS[1]);
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
    await waitFor("the leader to have said that it leads", async () => {
      const { metadata } = await kube.get(NAMESPACES, { name: NAMESPACE });
      return metadata.annotations?.[ANNOTATION_LEADER] === replicas.identityOf(leader);
    });
    await replicas.untilStandingBy(standby);
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
      await replicas.untilStandingBy(leader);
      const asked = (await replicas.leaseRequests(leader, 0)).filter(({ verb }) => verb !== "list");
      assert.deepEqual(asked.map(brief), [], "it has seen who leads");
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

  for (let turn = 1; turn <= FREEZES; turn++) {
    await t.step(
      `frozen past its lease in a wave, it writes nothing when it wakes (${turn} of ${FREEZES})`,
      async () => {
        const { leader, standby } = await replicas.roles();
        const mark = await auditMark(audit);
        const sent = wave.create(20);
        await replicas.untilBusy(leader, mark, turn * 12);
        await replicas.frozen(leader, async () => {
          await replicas.untilLeading(standby);
          await sent;
          await comparer.untilEqual(() => wave.asked);
        });
        assert.equal(await leader.ended(), 1);
        assert.match(await leader.log(), /"Lease was lost"/);
        // What `fetch` was given and had not sent at that moment may arrive (see elector.ts): the API server refuses it.
        const [taken] = await replicas.leaseRequests(standby, mark);
        const late = (await replicas.actsOf(leader, mark)).filter(({ at }) => at >= taken!.at);
        say(`    woken, it asked for ${late.length} writes: ${late.map(brief).join(", ")}`);
        assert.deepEqual(late.filter(isAccepted).map(brief), []);
        assert.deepEqual(await comparer.problems(wave.asked), []);
        await replicas.start(leader);
      },
    );
  }

  await t.step("at no time did two act", async () => {
    const acts = await replicas.allActs();
    const accepted = acts.filter(isAccepted);
    const terms = accepted.map(({ userAgent }) => userAgent).filter((agent, at, all) => agent !== all[at - 1]);
    const fenced = acts.filter(({ code }) => code === 403).length;
    say(`    ${accepted.length} writes in ${terms.length} terms, ${fenced} refused`);
    assert.deepEqual(terms, [...new Set(terms)]);
  });

  await t.step("nothing is left over", async () => {
    await plane.kubectl(["delete", "prenv", "--all", "--wait=false"]);
    await comparer.untilEqual(() => [], 180_000);
    for (const replica of [first, second]) assert.equal(await replica.metric("maquette_watch_missed_events_total"), 0);
  });
  kube.close();
});

/** A figure that is worth knowing and not worth failing for. */
function say(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function status(url: string): Promise<number> {
  const response = await fetch(url);
  await response.body?.cancel();
  return response.status;
}
