import "reflect-metadata";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey } from "node:crypto";
import { X509CertificateGenerator } from "@peculiar/x509";
import { FakeClock } from "../lib/runtime/fake_clock.ts";
import type { StoredSecret } from "./certificate_manager.ts";
import { CertificateReader } from "./certificate_reader.ts";
import type { ServingCertificate } from "./certificate_source.ts";
import { type LogLine, recordingLogger } from "./testing.ts";
import { type CertifiedKey, createAuthority, issueLeaf, pemOf, serialOf } from "./x509.ts";

const VALIDITY = { notBefore: Date.UTC(2026, 0, 1), notAfter: Date.UTC(2026, 2, 1) };

/** A Secret that somebody else writes. */
class FakeSecret {
  #stored?: StoredSecret;
  #listener = (): void => {};
  #version = 0;

  write(data: Record<string, string> | undefined): void {
    this.#stored = data && { data, resourceVersion: String(++this.#version) };
    this.#listener();
  }

  secret(): StoredSecret | undefined {
    return this.#stored;
  }

  onChange(listener: () => void): () => void {
    this.#listener = listener;
    return () => this.#listener = (): void => {};
  }
}

class Reading {
  readonly clock = new FakeClock();
  readonly lines: LogLine[] = [];
  readonly secret = new FakeSecret();
  readonly served: ServingCertificate[] = [];
  readonly reader: CertificateReader;

  constructor() {
    this.reader = new CertificateReader({ store: this.secret, clock: this.clock, log: recordingLogger(this.lines) });
    this.reader.onRotate((certificate) => void this.served.push(certificate));
  }

  /** Serial numbers of what was served, the oldest first. */
  get serials(): (string | undefined)[] {
    return this.served.map(({ cert }) => serialOf(cert));
  }
}

async function issued(): Promise<CertifiedKey> {
  const authority = await createAuthority(VALIDITY);
  return await issueLeaf(authority, { ...VALIDITY, names: ["webhook.ns.svc"] });
}

function secretOf({ cert, key }: CertifiedKey): Record<string, string> {
  return { "tls.crt": cert, "tls.key": key };
}

Deno.test("reader: a Secret that is there is served, and so is one that comes later", async () => {
  const [early, late] = [new Reading(), new Reading()];
  const certificate = await issued();
  early.secret.write(secretOf(certificate));
  await early.reader.start();
  await late.reader.start();
  assert.deepEqual(late.served, []);
  assert.deepEqual(late.lines, []);
  late.secret.write(secretOf(certificate));
  for (const { served } of [early, late]) assert.deepEqual(served, [{ ...certificate, notAfter: VALIDITY.notAfter }]);
});

Deno.test("reader: a renewed certificate is served at once, the same one is not told again", async () => {
  const reading = new Reading();
  await reading.reader.start();
  const [first, second] = [await issued(), await issued()];
  for (const one of [first, first, second, second]) reading.secret.write(secretOf(one));
  assert.deepEqual(reading.serials, [serialOf(first.cert), serialOf(second.cert)]);
});

Deno.test("reader: a chain is served whole, and lives as long as its leaf", async () => {
  const authority = await createAuthority(VALIDITY);
  const notAfter = VALIDITY.notAfter - 86_400_000;
  const leaf = await issueLeaf(authority, { ...VALIDITY, notAfter, names: ["webhook.ns.svc"] });
  const reading = new Reading();
  reading.secret.write({ "tls.crt": leaf.cert + authority.cert, "tls.key": leaf.key });
  await reading.reader.start();
  assert.deepEqual(reading.served, [{ cert: leaf.cert + authority.cert, key: leaf.key, notAfter }]);
});

/** What cert-manager makes by default. */
async function rsa(): Promise<CertifiedKey> {
  const signingAlgorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const algorithm = { ...signingAlgorithm, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as CryptoKeyPair;
  const dates = { notBefore: new Date(VALIDITY.notBefore), notAfter: new Date(VALIDITY.notAfter) };
  const cert = await X509CertificateGenerator.createSelfSigned({ name: "CN=rsa", ...dates, signingAlgorithm, keys });
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ type: "pkcs1", format: "pem" });
  return { cert: pemOf(cert), key: String(key) };
}

Deno.test("reader: a key of another kind and form is as good", async () => {
  const reading = new Reading();
  const certificate = await rsa();
  assert.match(certificate.key, /BEGIN RSA PRIVATE KEY/);
  reading.secret.write(secretOf(certificate));
  await reading.reader.start();
  assert.deepEqual(reading.serials, [serialOf(certificate.cert)]);
});

const UNUSABLE: Record<
  string,
  { damage: (good: CertifiedKey, other: CertifiedKey) => Record<string, string>; says: RegExp }
> = {
  "without a certificate": { damage: ({ key }) => ({ "tls.key": key }), says: /Cannot read a certificate/ },
  "with noise for a certificate": {
    damage: ({ key }) => ({ "tls.crt": "noise", "tls.key": key }),
    says: /Cannot read a certificate/,
  },
  "with a certificate that is cut off": {
    damage: ({ cert, key }) => ({ "tls.crt": cert.slice(0, 200), "tls.key": key }),
    says: /Cannot read a certificate/,
  },
  "without a key": { damage: ({ cert }) => ({ "tls.crt": cert }), says: /key .* is not that of/ },
  "with noise for a key": { damage: ({ cert }) => ({ "tls.crt": cert, "tls.key": "noise" }), says: /is not that of/ },
  "with another's key": {
    damage: ({ cert }, other) => ({ "tls.crt": cert, "tls.key": other.key }),
    says: /key .* is not that of/,
  },
  "that is empty": { damage: () => ({}), says: /Cannot read a certificate/ },
};

for (const [sentence, { damage, says }] of Object.entries(UNUSABLE)) {
  Deno.test(`reader: a Secret ${sentence} is refused, the certificate before is served on, the next good one is taken`, async () => {
    const reading = new Reading();
    const [before, bad, after] = [await issued(), await issued(), await issued()];
    reading.secret.write(damage(bad, before));
    await reading.reader.start();
    assert.deepEqual(reading.served, []);
    reading.secret.write(secretOf(before));
    reading.secret.write(damage(bad, before));
    assert.deepEqual(reading.serials, [serialOf(before.cert)]);
    reading.secret.write(secretOf(after));
    assert.deepEqual(reading.serials, [serialOf(before.cert), serialOf(after.cert)]);
    assert.deepEqual(reading.lines.map(({ isServing }) => isServing), [false, true]);
    for (const { level, error } of reading.lines) {
      assert.equal(level, "error");
      assert.match((error as Error).message, says);
    }
    await reading.reader.stop();
  });
}

Deno.test("reader: a Secret that is deleted changes nothing until the next one", async () => {
  const reading = new Reading();
  const [before, after] = [await issued(), await issued()];
  reading.secret.write(secretOf(before));
  await reading.reader.start();
  reading.secret.write(undefined);
  assert.deepEqual(reading.serials, [serialOf(before.cert)]);
  assert.deepEqual(reading.lines, []);
  reading.secret.write(secretOf(after));
  assert.deepEqual(reading.serials, [serialOf(before.cert), serialOf(after.cert)]);
});

Deno.test("reader: a server that cannot start is tried again, and nothing is left after the stop", async () => {
  const reading = new Reading();
  let calls = 0;
  reading.reader.onRotate(() => {
    if (++calls < 3) throw new Error("Address in use");
  });
  reading.secret.write(secretOf(await issued()));
  await reading.reader.start();
  await reading.clock.advance(60_000);
  assert.equal(calls, 3);
  reading.secret.write({});
  assert.equal(reading.clock.pending, 1);
  await reading.reader.stop();
  assert.equal(reading.clock.pending, 0);
  reading.secret.write(secretOf(await issued()));
  assert.equal(calls, 3);
});
