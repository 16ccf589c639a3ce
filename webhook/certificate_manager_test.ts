import assert from "node:assert/strict";
import type { X509Certificate } from "@peculiar/x509";
import { FakeClock, settle } from "../lib/runtime/fake_clock.ts";
import { type CaBundle, CertificateManager, type CertificateStore, type StoredSecret } from "./certificate_manager.ts";
import type { ServingCertificate } from "./certificate_source.ts";
import { type CertificateData, type CertificateOptions, takeStep } from "./certificates.ts";
import { isIssuedBy, readCertificates } from "./x509.ts";
import { type LogLine, recordingLogger } from "./testing.ts";

const SECOND = 1000;
const OPTIONS: CertificateOptions = {
  names: ["webhook.ns.svc"],
  authorityLifeMs: 60 * SECOND,
  leafLifeMs: 12 * SECOND,
  graceMs: 3 * SECOND,
  settleMs: SECOND,
  skewMs: SECOND,
};
const CONFIGURATIONS = ["mutating", "validating"];

/** What all replicas share: one Secret and two configurations. */
class FakeCluster {
  readonly clock = new FakeClock();
  secret?: StoredSecret;
  readonly bundles = new Map<string, string | undefined>(CONFIGURATIONS.map((name) => [name, undefined]));
  secretWrites = 0;
  conflicts = 0;
  bundleWrites = 0;
  isDown = false;
  readonly managers = new Set<CertificateManager>();
  readonly checked: Checked = new Map();
  #version = 0;
  readonly #stores = new Set<FakeStore>();

  /** The view of one replica, which lags behind. */
  store(lagMs: number): FakeStore {
    const store = new FakeStore(this, lagMs);
    this.#stores.add(store);
    return store;
  }

  save(data: CertificateData, resourceVersion: string | undefined): "saved" | "conflict" {
    if (this.isDown) throw new Error("Connection refused");
    if (this.secret?.resourceVersion !== resourceVersion) {
      this.conflicts++;
      return "conflict";
    }
    this.secretWrites++;
    this.setSecret(data);
    return "saved";
  }

  /** Writes without asking, as a person with kubectl. */
  setSecret(data: Partial<CertificateData> | undefined): void {
    this.secret = data && { data, resourceVersion: String(++this.#version) };
    this.tell();
  }

  setBundle(configuration: string, bundle: string | undefined): void {
    this.bundles.set(configuration, bundle);
    this.tell();
  }

  tell(): void {
    for (const store of this.#stores) store.changed();
  }
}

class FakeStore implements CertificateStore {
  readonly #cluster: FakeCluster;
  readonly #lagMs: number;
  #secret?: StoredSecret;
  #bundles: ReadonlyMap<string, string | undefined> = new Map();
  readonly #listeners = new Set<() => void>();

  constructor(cluster: FakeCluster, lagMs: number) {
    this.#cluster = cluster;
    this.#lagMs = lagMs;
    this.#see();
  }

  changed(): void {
    const { clock } = this.#cluster;
    clock.at(clock.now() + this.#lagMs, () => {
      this.#see();
      for (const listener of this.#listeners) listener();
    });
  }

  #see(): void {
    this.#secret = this.#cluster.secret;
    this.#bundles = new Map(this.#cluster.bundles);
  }

  secret(): StoredSecret | undefined {
    return this.#secret;
  }

  async saveSecret(data: CertificateData, resourceVersion: string | undefined): Promise<"saved" | "conflict"> {
    await settle(1);
    return this.#cluster.save(data, resourceVersion);
  }

  caBundles(): CaBundle[] {
    return [...this.#bundles].map(([configuration, caBundle]) => ({
      configuration,
      webhook: "maquette.dev",
      caBundle,
    }));
  }

  async setCaBundle(bundle: string, resourceVersion: string | undefined): Promise<"saved" | "conflict"> {
    await settle(1);
    if (this.#cluster.isDown) throw new Error("Connection refused");
    if (this.#cluster.secret?.resourceVersion !== resourceVersion) return "conflict";
    for (const [configuration, present] of this.#cluster.bundles) {
      if (present === bundle) continue;
      this.#cluster.bundleWrites++;
      this.#cluster.setBundle(configuration, bundle);
    }
    return "saved";
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** One replica. */
class Replica implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  readonly served: ServingCertificate[] = [];
  readonly manager: CertificateManager;

  constructor(cluster: FakeCluster, { lagMs = 20, options = OPTIONS } = {}) {
    const log = recordingLogger(this.lines);
    this.manager = new CertificateManager({ store: cluster.store(lagMs), clock: cluster.clock, log, options });
    this.manager.onRotate((certificate) => void this.served.push(certificate));
    cluster.managers.add(this.manager);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.manager.stop();
  }
}

/** Moves the time on in small steps, with room for the cryptography of each. */
async function pass(
  cluster: FakeCluster,
  ms: number,
  check: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const step = 100;
  for (let passed = 0; passed < ms; passed += step) {
    await cluster.clock.advance(step);
    // The clock is not the real one, cryptography is.
    for (const manager of cluster.managers) await manager.settled();
    await check();
  }
}

/** Signatures that were checked already, by certificate and authority: the same few are looked at again and again. */
type Checked = Map<string, Promise<boolean>>;

/** What a client sees: whether each configuration trusts what each replica serves, now. */
async function assertTrusted(cluster: FakeCluster, ...replicas: Replica[]): Promise<void> {
  const now = cluster.clock.now();
  for (const { manager } of replicas) {
    const [leaf] = readCertificates(manager.current()!.cert);
    assert.ok(leaf!.notBefore.getTime() <= now && now < leaf!.notAfter.getTime(), "What is served is not valid now");
    for (const [configuration, bundle] of cluster.bundles) {
      const valid = readCertificates(bundle!).filter(({ notAfter }) => now < notAfter.getTime());
      const trusted = await Promise.all(valid.map((authority) => isSigned(cluster.checked, leaf!, authority)));
      assert.ok(trusted.includes(true), `The ${configuration} configuration does not trust what is served`);
    }
  }
}

function isSigned(checked: Checked, leaf: X509Certificate, authority: X509Certificate): Promise<boolean> {
  const pair = `${leaf.serialNumber} ${authority.serialNumber}`;
  const known = checked.get(pair) ?? isIssuedBy(leaf, authority);
  checked.set(pair, known);
  return known;
}

Deno.test("certificates: the first replica creates everything and writes both configurations", async () => {
  const cluster = new FakeCluster();
  await using replica = new Replica(cluster);
  await replica.manager.start();
  await pass(cluster, SECOND);
  await assertTrusted(cluster, replica);
  assert.deepEqual([cluster.secretWrites, cluster.bundleWrites], [1, 2]);
  assert.equal(replica.served.length, 1);
});

Deno.test("certificates: a restart writes nothing", async () => {
  const cluster = new FakeCluster();
  const first = new Replica(cluster);
  await first.manager.start();
  await pass(cluster, SECOND);
  await first.manager.stop();
  await using second = new Replica(cluster);
  await second.manager.start();
  await pass(cluster, SECOND);
  assert.equal(second.served.length, 1);
  assert.deepEqual([cluster.secretWrites, cluster.bundleWrites], [1, 2]);
});

Deno.test("certificates: two replicas that lag differently go through many rotations, and all that is served is trusted", async () => {
  const cluster = new FakeCluster();
  await using one = new Replica(cluster, { lagMs: 0 });
  await using two = new Replica(cluster, { lagMs: 250 });
  await Promise.all([one.manager.start(), two.manager.start()]);
  await pass(cluster, 2 * SECOND);
  const authorities = new Set<string>();
  await pass(cluster, 180 * SECOND, async () => {
    await assertTrusted(cluster, one, two);
    authorities.add(readCertificates(cluster.secret!.data["ca.crt"]!)[0]!.serialNumber);
  });
  assert.ok(one.served.length >= 20, `${one.served.length} leaves`);
  assert.deepEqual(two.served.map(({ cert }) => cert).slice(-5), one.served.map(({ cert }) => cert).slice(-5));
  assert.ok(authorities.size >= 4, `${authorities.size} authorities`);
  // One writer per step: the other sees it, or loses and reads again.
  assert.ok(cluster.secretWrites <= one.served.length + 3 * authorities.size, `${cluster.secretWrites} writes`);
  assert.deepEqual([...one.lines, ...two.lines].filter(({ level }) => level === "error"), []);
});

Deno.test("certificates: between steps nothing is written and one timer is set", async () => {
  const cluster = new FakeCluster();
  const options = { ...OPTIONS, authorityLifeMs: 4000 * SECOND, leafLifeMs: 1000 * SECOND };
  await using replica = new Replica(cluster, { options });
  await replica.manager.start();
  await pass(cluster, 2 * SECOND);
  const { secretWrites, bundleWrites } = cluster;
  await pass(cluster, 60 * SECOND);
  assert.deepEqual([cluster.secretWrites, cluster.bundleWrites], [secretWrites, bundleWrites]);
  assert.equal(cluster.clock.pending, 1);
  await replica.manager.stop();
  assert.equal(cluster.clock.pending, 0);
});

Deno.test("certificates: a caBundle that somebody edits is put right at once", async () => {
  const cluster = new FakeCluster();
  await using replica = new Replica(cluster);
  await replica.manager.start();
  await pass(cluster, 2 * SECOND);
  for (const bundle of [undefined, "", "somebody else's"]) {
    cluster.setBundle("validating", bundle);
    await pass(cluster, 200);
    await assertTrusted(cluster, replica);
    await pass(cluster, SECOND);
  }
});

Deno.test("certificates: somebody who keeps editing caBundle is not answered more than once a second", async () => {
  const cluster = new FakeCluster();
  await using replica = new Replica(cluster);
  await replica.manager.start();
  await pass(cluster, 2 * SECOND);
  const before = cluster.bundleWrites;
  await pass(cluster, 5 * SECOND, () => Promise.resolve(cluster.setBundle("mutating", "mine")));
  assert.ok(cluster.bundleWrites - before <= 6, `${cluster.bundleWrites - before} writes`);
});

Deno.test("certificates: a configuration that appears later gets the bundle", async () => {
  const cluster = new FakeCluster();
  cluster.bundles.clear();
  await using replica = new Replica(cluster);
  await replica.manager.start();
  await pass(cluster, SECOND);
  assert.equal(cluster.bundleWrites, 0);
  for (const name of CONFIGURATIONS) cluster.setBundle(name, undefined);
  await pass(cluster, SECOND);
  await assertTrusted(cluster, replica);
});

type Data = Partial<CertificateData>;

/** @param other another Secret of our own kind */
const DAMAGES: Record<string, (data: Data, other: Data) => Data | undefined> = {
  "is deleted": () => undefined,
  "is emptied": () => ({}),
  "becomes noise": () => ({ "ca.crt": "x", "ca.key": "x", "tls.crt": "x", "tls.key": "x" }),
  "loses the authority's key": (data) => ({ ...data, "ca.key": "" }),
  "loses the authorities": (data) => ({ ...data, "ca.crt": "" }),
  "loses the certificate": (data) => ({ ...data, "tls.crt": "" }),
  "loses the certificate's key": (data) => ({ ...data, "tls.key": "" }),
  "gets a wrong key": (data) => ({ ...data, "tls.key": data["ca.key"] }),
  "is replaced by one that is expired": (_, other) => other,
  "gets other authorities": (data, other) => ({ ...data, "ca.crt": other["ca.crt"], "ca.key": other["ca.key"] }),
};

for (const [sentence, damage] of Object.entries(DAMAGES)) {
  Deno.test(`certificates: when the Secret ${sentence}, what is served stays trusted and everything becomes new`, async () => {
    const cluster = new FakeCluster();
    const options = { ...OPTIONS, authorityLifeMs: 4000 * SECOND, leafLifeMs: 1000 * SECOND };
    await using one = new Replica(cluster, { options });
    await using two = new Replica(cluster, { options, lagMs: 150 });
    await Promise.all([one.manager.start(), two.manager.start()]);
    await pass(cluster, 2 * SECOND);
    const before = { ...cluster.secret!.data };
    const other = await takeStep("create", { data: {}, now: cluster.clock.now() - 2 * options.leafLifeMs, options });
    cluster.setSecret(damage(before, other));
    await pass(cluster, 10 * SECOND, () => assertTrusted(cluster, one, two));
    const after = cluster.secret!.data;
    for (const key of ["ca.crt", "ca.key", "tls.crt", "tls.key"] as const) {
      assert.notEqual(after[key], before[key], key);
    }
    assert.equal(readCertificates(after["ca.crt"]!).length, 1);
    assert.equal(two.manager.current()!.cert, after["tls.crt"]);
  });
}

Deno.test("certificates: a replica that starts with a damaged Secret makes everything anew", async () => {
  const cluster = new FakeCluster();
  cluster.setSecret({ "ca.crt": "x" });
  for (const name of CONFIGURATIONS) cluster.setBundle(name, "old");
  await using replica = new Replica(cluster);
  await replica.manager.start();
  await pass(cluster, SECOND);
  await assertTrusted(cluster, replica);
});

Deno.test("certificates: a replica that starts with an expired Secret never serves it", async () => {
  const cluster = new FakeCluster();
  const now = cluster.clock.now() - 10 * OPTIONS.authorityLifeMs;
  cluster.setSecret(await takeStep("create", { data: {}, now, options: OPTIONS }));
  await using replica = new Replica(cluster);
  await replica.manager.start();
  await pass(cluster, 2 * SECOND);
  await assertTrusted(cluster, replica);
  assert.equal(replica.served.length, 1);
});

Deno.test("certificates: other names get another certificate", async () => {
  const cluster = new FakeCluster();
  const first = new Replica(cluster);
  await first.manager.start();
  await pass(cluster, SECOND);
  await first.manager.stop();
  await using second = new Replica(cluster, { options: { ...OPTIONS, names: ["other.ns.svc"] } });
  await second.manager.start();
  await pass(cluster, SECOND, () => assertTrusted(cluster, second));
  assert.equal(second.served.length, 2);
});

Deno.test("certificates: an API server that is away is asked again, and what is held is served on", async () => {
  const cluster = new FakeCluster();
  await using replica = new Replica(cluster);
  await replica.manager.start();
  await pass(cluster, SECOND);
  cluster.isDown = true;
  await pass(cluster, 9 * SECOND, () => assertTrusted(cluster, replica));
  assert.ok(replica.lines.some(({ level }) => level === "error"));
  assert.ok(replica.lines.length < 20, `${replica.lines.length} lines`);
  cluster.isDown = false;
  await pass(cluster, 2 * SECOND, () => assertTrusted(cluster, replica));
  assert.equal(replica.served.length, 2);
});

Deno.test("certificates: without the right to write configurations, the certificate is renewed all the same", async () => {
  const cluster = new FakeCluster();
  const options = { ...OPTIONS, authorityLifeMs: 4000 * SECOND };
  const store = cluster.store(0);
  store.setCaBundle = () => Promise.reject(new Error("Forbidden"));
  const lines: LogLine[] = [];
  const manager = new CertificateManager({ store, clock: cluster.clock, log: recordingLogger(lines), options });
  cluster.managers.add(manager);
  await manager.start();
  await pass(cluster, 30 * SECOND);
  assert.ok(cluster.secretWrites >= 3, `${cluster.secretWrites} writes`);
  assert.ok(manager.current()!.notAfter > cluster.clock.now());
  await manager.stop();
});

Deno.test("certificates: a replica whose Secret is out of date does not take back what others trust by now", async () => {
  const cluster = new FakeCluster();
  const options = { ...OPTIONS, authorityLifeMs: 4000 * SECOND, leafLifeMs: 1000 * SECOND };
  await using one = new Replica(cluster, { options });
  await one.manager.start();
  await pass(cluster, 2 * SECOND);
  const store = cluster.store(0);
  const old = cluster.secret!;
  store.secret = () => old;
  const late = new CertificateManager({ store, clock: cluster.clock, log: recordingLogger([]), options });
  cluster.managers.add(late);
  await late.start();
  const { bundleWrites } = cluster;
  cluster.setSecret({ ...old.data, "ca.key": "" });
  await pass(cluster, 2 * SECOND, () => assertTrusted(cluster, one));
  assert.notEqual(cluster.secret!.data["tls.crt"], old.data["tls.crt"]);
  // Both configurations, once.
  assert.equal(cluster.bundleWrites - bundleWrites, CONFIGURATIONS.length);
  await late.stop();
});

Deno.test("certificates: a listener that fails is told again", async () => {
  const cluster = new FakeCluster();
  await using replica = new Replica(cluster);
  let calls = 0;
  replica.manager.onRotate(() => {
    if (++calls < 3) throw new Error("Address in use");
  });
  await replica.manager.start();
  await pass(cluster, 4 * SECOND);
  assert.equal(calls, 3);
  assert.ok(replica.manager.current());
});
