import assert from "node:assert/strict";
import {
  bundleOf,
  type CertificateData,
  type CertificateFacts,
  decide,
  type DecideOptions,
  livesOf,
  readFacts,
  takeStep,
} from "./certificates.ts";
import { createAuthority, isIssuedBy, readCertificates } from "./x509.ts";

const SECOND = 1000;
const NOW = Date.UTC(2026, 0, 1);
const OPTIONS: DecideOptions = {
  names: ["webhook.ns.svc", "127.0.0.1"],
  authorityLifeMs: 900 * SECOND,
  leafLifeMs: 90 * SECOND,
  graceMs: 30 * SECOND,
  settleMs: 5 * SECOND,
  skewMs: 0,
};
const NAMES = ["127.0.0.1", "webhook.ns.svc"];

/** From `from` to `to`, in seconds from now. */
function from(from: number, to: number): { notBefore: number; notAfter: number } {
  return { notBefore: NOW + from * SECOND, notAfter: NOW + to * SECOND };
}

const A = { pem: "A", ...from(0, 900) };
const B = { pem: "B", ...from(0, 900) };
const OLD = { pem: "O", ...from(-700, 200) };
const LEAF = { names: NAMES, issuer: 0, ...from(0, 90) };

const DECISIONS: Record<string, { facts: CertificateFacts; options?: Partial<DecideOptions>; is: string | number }> = {
  "nothing at all: everything is created": { facts: { authorities: [], canSign: false }, is: "create" },
  "a leaf without authority: everything is created": {
    facts: { authorities: [], canSign: false, leaf: LEAF },
    is: "create",
  },
  "the authority's key is lost: another is put in front": {
    facts: { authorities: [A], canSign: false, leaf: LEAF },
    is: "extend",
  },
  "the authority is past two thirds: another is put in front": {
    facts: { authorities: [OLD], canSign: true, leaf: LEAF },
    is: "extend",
  },
  "there is no leaf: one is issued": { facts: { authorities: [A], canSign: true }, is: "issue" },
  "there is no leaf, and the authority is new: one is issued all the same": {
    facts: { authorities: [B, A], canSign: true },
    is: "issue",
  },
  "the leaf is expired: one is issued": {
    facts: { authorities: [A], canSign: true, leaf: { ...LEAF, ...from(-90, 0) } },
    is: "issue",
  },
  "the leaf is expired while its successor waits: it waits no longer": {
    facts: { authorities: [B, A], canSign: true, leaf: { ...LEAF, issuer: 1, ...from(-90, 0) } },
    is: "issue",
  },
  "the leaf is past two thirds: one is issued": {
    facts: { authorities: [A], canSign: true, leaf: { ...LEAF, ...from(-60, 30) } },
    is: "issue",
  },
  "the names changed: one is issued": {
    facts: { authorities: [A], canSign: true, leaf: LEAF },
    options: { names: ["other"] },
    is: "issue",
  },
  "the names are in another order and spelling: nothing": {
    facts: { authorities: [A], canSign: true, leaf: { ...LEAF, names: ["::1", "a", "b"] } },
    options: { names: ["b", "0:0:0:0:0:0:0:1", "a", "a"] },
    is: 60,
  },
  "a new authority is not seen everywhere: the leaf stays": {
    facts: { authorities: [B, OLD], canSign: true, leaf: { ...LEAF, issuer: 1 } },
    is: 90,
  },
  "a new authority was seen everywhere a moment ago: the leaf stays for a while": {
    facts: { authorities: [B, OLD], canSign: true, leaf: { ...LEAF, issuer: 1 } },
    options: { spreadSince: NOW - 2 * SECOND },
    is: 3,
  },
  "a new authority was seen everywhere for a while: a leaf of it is issued": {
    facts: { authorities: [B, OLD], canSign: true, leaf: { ...LEAF, issuer: 1 } },
    options: { spreadSince: NOW - 5 * SECOND },
    is: "issue",
  },
  "the old authority's grace is not over: it stays": {
    facts: { authorities: [B, OLD], canSign: true, leaf: LEAF },
    is: 30,
  },
  "the old authority's grace is over: it is retired": {
    facts: { authorities: [B, OLD], canSign: true, leaf: { ...LEAF, ...from(-30, 60) } },
    is: "retire",
  },
  "the old authority is expired: it is retired": {
    facts: { authorities: [B, { ...OLD, ...from(-900, 0) }], canSign: true, leaf: LEAF },
    is: "retire",
  },
  "all is well: nothing until two thirds of the leaf": {
    facts: { authorities: [A], canSign: true, leaf: LEAF },
    is: 60,
  },
  "all is well, and the authority is due first: nothing until then": {
    facts: { authorities: [{ pem: "A", ...from(-580, 320) }], canSign: true, leaf: LEAF },
    is: 20,
  },
};

for (const [sentence, { facts, options, is }] of Object.entries(DECISIONS)) {
  Deno.test(`decide(): ${sentence}`, () => {
    const decision = decide(facts, NOW, { ...OPTIONS, ...options });
    assert.equal(decision.step === "nothing" ? (decision.lookAgainAt - NOW) / SECOND : decision.step, is);
  });
}

/** Everything new. */
function created(now = NOW): Promise<CertificateData> {
  return takeStep("create", { data: {}, now, options: OPTIONS });
}

/** Which authority of its bundle signed the leaf of a Secret. */
async function issuerOf(data: Partial<CertificateData>): Promise<number | undefined> {
  return (await readFacts(data)).leaf?.issuer;
}

Deno.test("takeStep() creates what decide() is content with", async () => {
  const facts = await readFacts(await created());
  assert.equal(facts.authorities.length, 1);
  assert.equal(facts.canSign, true);
  assert.deepEqual(facts.leaf, { names: NAMES, issuer: 0, ...from(0, 90) });
  assert.equal(decide(facts, NOW, OPTIONS).step, "nothing");
});

Deno.test("takeStep() issues a leaf with another key by the same authority", async () => {
  const before = await created();
  const after = await takeStep("issue", { data: before, now: NOW + 60 * SECOND, options: OPTIONS });
  assert.equal(after["ca.crt"], before["ca.crt"]);
  assert.equal(after["ca.key"], before["ca.key"]);
  assert.notEqual(after["tls.key"], before["tls.key"]);
  assert.equal(await issuerOf(after), 0);
});

Deno.test("takeStep() walks through the change of an authority, and everything served is trusted before and after", async () => {
  const first = await created();
  const extended = await takeStep("extend", { data: first, now: NOW, options: OPTIONS });
  assert.ok(extended["ca.crt"].endsWith(first["ca.crt"]));
  assert.notEqual(extended["ca.key"], first["ca.key"]);
  assert.equal(extended["tls.crt"], first["tls.crt"]);
  assert.equal(await issuerOf(extended), 1);
  const issued = await takeStep("issue", { data: extended, now: NOW, options: OPTIONS });
  assert.equal(issued["ca.crt"], extended["ca.crt"]);
  assert.equal(await issuerOf(issued), 0);
  const retired = await takeStep("retire", { data: issued, now: NOW + 30 * SECOND, options: OPTIONS });
  assert.equal(`${retired["ca.crt"]}${first["ca.crt"]}`, issued["ca.crt"]);
  assert.equal(retired["tls.crt"], issued["tls.crt"]);
});

Deno.test("takeStep() retires those authorities alone whose time is over", async () => {
  const short = await takeStep("create", { data: {}, now: NOW, options: { ...OPTIONS, authorityLifeMs: 10 * SECOND } });
  const second = await takeStep("extend", { data: short, now: NOW, options: OPTIONS });
  const third = await takeStep("extend", { data: second, now: NOW, options: OPTIONS });
  const issued = await takeStep("issue", { data: third, now: NOW, options: OPTIONS });
  assert.equal((await readFacts(issued)).authorities.length, 3);
  const retired = await takeStep("retire", { data: issued, now: NOW + 10 * SECOND, options: OPTIONS });
  assert.equal((await readFacts(retired)).authorities.length, 2);
});

Deno.test("takeStep() lets no leaf outlive its authority", async () => {
  const options = { ...OPTIONS, leafLifeMs: 10_000 * SECOND };
  const { leaf, authorities } = await readFacts(await takeStep("create", { data: {}, now: NOW, options }));
  assert.equal(leaf!.notAfter, authorities[0]!.notAfter);
});

Deno.test("takeStep() starts validity in the past, because clocks differ", async () => {
  const options = { ...OPTIONS, skewMs: 10 * SECOND };
  const { leaf } = await readFacts(await takeStep("create", { data: {}, now: NOW, options }));
  assert.deepEqual({ notBefore: leaf!.notBefore, notAfter: leaf!.notAfter }, from(-10, 90));
});

Deno.test("readFacts() takes what is good in a damaged Secret", async () => {
  const [good, other] = await Promise.all([created(), created()]);
  const damaged: Record<string, { data: Partial<CertificateData> | undefined; is: [number, boolean, boolean] }> = {
    "nothing": { data: undefined, is: [0, false, false] },
    "no keys": { data: {}, is: [0, false, false] },
    "noise": { data: { "ca.crt": "x", "ca.key": "\0", "tls.crt": "{}", "tls.key": "" }, is: [0, false, false] },
    "no certificates in PEM": {
      data: { ...good, "ca.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
      is: [0, false, false],
    },
    "no authority's key": { data: { ...good, "ca.key": "" }, is: [1, false, true] },
    "another authority's key": { data: { ...good, "ca.key": other["ca.key"] }, is: [1, false, true] },
    "no leaf": { data: { ...good, "tls.crt": "" }, is: [1, true, false] },
    "no leaf's key": { data: { ...good, "tls.key": "" }, is: [1, true, false] },
    "another leaf's key": { data: { ...good, "tls.key": other["tls.key"] }, is: [1, true, false] },
    "another authority's leaf": {
      data: { ...good, "tls.crt": other["tls.crt"], "tls.key": other["tls.key"] },
      is: [1, true, false],
    },
    "a leaf among the authorities": { data: { ...good, "ca.crt": good["tls.crt"] }, is: [0, false, false] },
    "noise around the authorities": {
      data: { ...good, "ca.crt": `# ours\r\n${good["ca.crt"]}junk` },
      is: [1, true, true],
    },
    "nothing wrong": { data: good, is: [1, true, true] },
  };
  for (const [sentence, { data, is }] of Object.entries(damaged)) {
    const { authorities, canSign, leaf } = await readFacts(data);
    assert.deepEqual([authorities.length, canSign, leaf !== undefined], is, sentence);
  }
});

Deno.test("readFacts() is not fooled by an authority that only has the name", async () => {
  const [good, impostor] = await Promise.all([created(), createAuthority(from(0, 900))]);
  const [leaf] = readCertificates(good["tls.crt"]);
  assert.equal(await isIssuedBy(leaf!, readCertificates(impostor.cert)[0]!), false);
});

Deno.test("bundleOf() writes what readFacts() reads", async () => {
  const data = await takeStep("extend", { data: await created(), now: NOW, options: OPTIONS });
  assert.equal(bundleOf((await readFacts(data)).authorities), data["ca.crt"]);
});

Deno.test("livesOf() leaves room for a whole handover before a leaf runs out, however short it lives", () => {
  for (const leafLifeMs of [60_000, 600_000, 3_600_000, 30 * 86_400_000, 365 * 86_400_000]) {
    const { authorityLifeMs, graceMs, settleMs, skewMs } = livesOf(leafLifeMs);
    assert.ok(authorityLifeMs >= 3 * leafLifeMs);
    assert.ok(skewMs <= leafLifeMs / 2);
    assert.ok(settleMs + graceMs < leafLifeMs / 3, `${leafLifeMs}`);
  }
});
