/**
 * The certificate of admission under a real API server that asks all the time: two replicas that make it themselves, and
 * one that reads what cert-manager writes. No admission is lost.
 */
import assert from "node:assert/strict";
import { livesOf, takeStep } from "../../webhook/certificates.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { RawRequests } from "../fixtures/raw_requests.ts";
import { install } from "../installed.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { Admissions, everyMs, Front } from "./admissions.ts";
import { CertManager, certManagerKinds } from "./cert_manager.ts";
import { Administrator, OWN, READ, served, TrustWatch, waitForHealth, waitForTrust } from "./certificates.ts";

const LEAF_SECONDS = 60;
const ROUND_MS = 2_000;
const ROUNDS = 30;
const RENEWALS = 15;
/** Of the 100 that a machine with time to spare makes in a round. */
const ENOUGH_PER_ROUND = 20;
const HOUR_MS = 3_600_000;

type Harm = (administrator: Administrator) => Promise<void>;

/** In this order, again and again. */
const ROTATIONS: readonly Harm[] = [
  (administrator) => administrator.damage(OWN, { "tls.crt": "", "tls.key": "" }),
  (administrator) => administrator.damage(OWN, { "ca.key": "damaged" }),
  (administrator) => administrator.remove(OWN),
];

const HARMS: Record<string, Harm> = {
  "an expired Secret": async (administrator) => {
    const options = { ...livesOf(LEAF_SECONDS * 1000), names: ["127.0.0.1"] };
    await administrator.put(OWN, { ...await takeStep("create", { data: {}, now: Date.now() - HOUR_MS, options }) });
  },
  "a deleted Secret": (administrator) => administrator.remove(OWN),
  "garbage in the Secret": (administrator) =>
    administrator.put(OWN, { "ca.crt": "x", "ca.key": "x", "tls.crt": "x", "tls.key": "x" }),
  "an empty caBundle": (administrator) => administrator.setBundles(""),
};

Deno.test("two replicas that make their certificates themselves", async (t) => {
  await using plane = await startControlPlane();
  await using front = new Front(2_000);
  const flags = [`--webhook-url=${front.url}`, `--webhook-certificate-seconds=${LEAF_SECONDS}`];
  await using first = await install(plane, { flags: [...flags, "--webhook-drain-seconds=4", "--tls=none"] });
  await using second = first.another();
  await second.start();
  const replicas = [first, second];
  front.lead(replicas);
  using requests = await RawRequests.open(plane.kubeconfigPath);
  using administrator = await Administrator.of(plane.kubeconfigPath);
  await waitForTrust(requests, administrator, replicas);

  await t.step(`${ROUNDS} changes of leaf and authority under 50 admissions/s lose none`, async () => {
    const before = await served(replicas);
    await using trust = new TrustWatch(administrator, replicas);
    await using admissions = new Admissions(requests, 50);
    for await (const round of everyMs(ROUND_MS)) {
      if (round === ROUNDS) break;
      const { least } = await served(replicas);
      await ROTATIONS[round % ROTATIONS.length]!(administrator);
      await waitUntil(
        `change ${round}`,
        () => served(replicas),
        (now) => now.least > least && now.last[0] === now.last[1],
      );
    }
    const lost = await admissions.stop();
    await trust.stop();
    const after = await served(replicas);
    assert.deepEqual(lost, []);
    assert.ok(admissions.created >= ROUNDS * ENOUGH_PER_ROUND, `${admissions.created} admissions`);
    assert.ok(after.least - before.least >= ROUNDS, `${after.least - before.least} changes`);
    assert.deepEqual(trust.distrusted, []);
    assert.ok(trust.overlaps > 0, `${trust.looks} looks, never two authorities`);
  });
  for (const [sentence, harm] of Object.entries(HARMS)) {
    await t.step(`${sentence} mends without a hand`, async () => {
      await harm(administrator);
      await waitForHealth(administrator, replicas);
      await waitForTrust(requests, administrator, replicas);
    });
  }
  await t.step("a replica that comes later serves the same certificate", async () => {
    await using third = first.another();
    await third.start();
    await waitForHealth(administrator, [...replicas, third]);
    await waitForTrust(requests, administrator, [...replicas, third]);
  });
  await t.step("applying the manifests again takes nothing away", async () => {
    await using admissions = new Admissions(requests, 20);
    await first.reinstall();
    assert.deepEqual(await admissions.stop(), []);
  });
  await t.step("a restart of one replica after the other under 20 admissions/s loses none", async () => {
    await using admissions = new Admissions(requests, 20);
    for (const replica of [...replicas, ...replicas]) {
      assert.equal(await replica.stop(), 0);
      await replica.start();
      await waitFor("the replica to get connections again", () => front.ready.includes(replica));
    }
    assert.deepEqual(await admissions.stop(), []);
    assert.equal(front.refused, 0);
  });
  for (const [sentence, harm] of Object.entries(HARMS)) {
    await t.step(`${sentence} mends when replicas start over it`, async () => {
      await Promise.all(replicas.map((replica) => replica.stop("SIGKILL")));
      await harm(administrator);
      await Promise.all(replicas.map((replica) => replica.start()));
      await waitForHealth(administrator, replicas);
      await waitForTrust(requests, administrator, replicas);
    });
  }
});

Deno.test("a replica that reads what cert-manager writes", async (t) => {
  await using plane = await startControlPlane();
  using requests = await RawRequests.open(plane.kubeconfigPath);
  using administrator = await Administrator.of(plane.kubeconfigPath);
  await plane.kubectl(["create", "-f", "-"], {
    stdin: JSON.stringify({ apiVersion: "v1", kind: "List", items: certManagerKinds() }),
  });
  const certManager = await CertManager.start(administrator);
  const installing = install(plane, { flags: ["--webhook-certificates=cert-manager", "--tls=none"] });
  await Promise.all([certManager.issue(), certManager.inject()]);
  await using operator = await installing;
  await waitForTrust(requests, administrator, [operator]);

  await t.step(`${RENEWALS} renewals under 50 admissions/s lose none`, async () => {
    const before = await served([operator]);
    await using admissions = new Admissions(requests, 50);
    for await (const round of everyMs(ROUND_MS)) {
      if (round === RENEWALS) break;
      const { least } = await served([operator]);
      await certManager.issue();
      await waitUntil(`renewal ${round}`, () => served([operator]), (now) => now.least > least);
    }
    assert.deepEqual(await admissions.stop(), []);
    assert.ok(admissions.created >= RENEWALS * ENOUGH_PER_ROUND, `${admissions.created} admissions`);
    assert.equal((await served([operator])).least - before.least, RENEWALS);
  });
  await t.step("what cannot be served is not, and what is served stays", async () => {
    const { last } = await served([operator]);
    await using admissions = new Admissions(requests, 20);
    await administrator.damage(READ, { "tls.key": "damaged" });
    await waitFor("the refusal in the log", async () => (await operator.log()).includes("Failed to use the webhook's"));
    await administrator.remove(READ);
    assert.deepEqual(await admissions.stop(), []);
    assert.deepEqual((await served([operator])).last, last);
  });
  await t.step("a replica without a certificate says what it waits for, and serves once it is there", async () => {
    await using other = operator.another();
    const starting = other.start();
    await waitFor("the reason", async () => {
      const text = await (await fetch(`http://127.0.0.1:${other.httpPort}/readyz`)).text();
      return text.includes(`no certificate yet: waiting for Secret "${READ.namespace}/${READ.name}"`);
    });
    await certManager.issue();
    await starting;
    await waitForTrust(requests, administrator, [operator, other]);
    const expiry = await other.metric("maquette_webhook_certificate_expiry_timestamp_seconds");
    assert.ok(Math.abs(expiry * 1000 - Date.now() - HOUR_MS) < HOUR_MS / 2, String(expiry));
  });
  await t.step("applying the manifests again leaves the injected authority", async () => {
    const before = await administrator.bundles();
    await operator.reinstall();
    assert.deepEqual(await administrator.bundles(), before);
  });
});
