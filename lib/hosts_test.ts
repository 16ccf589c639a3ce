import assert from "node:assert/strict";
import fc from "fast-check";
import { ENVIRONMENT } from "./api/environment.ts";
import type { KubeObject, Resource } from "./api/object.ts";
import {
  BY_HOST,
  chooseHost,
  claimedHosts,
  concernedByHosts,
  type HostClaim,
  hostClaim,
  hostProblem,
  hostWatch,
  rivalsOf,
  strayIngresses,
} from "./hosts.ts";
import { Cache } from "./runtime/cache.ts";

const DOMAIN = "preview.example.com";
/** Of a pull request, an Environment of that name, and whoever writes it. */
const HOST = `pr-1.${DOMAIN}`;

function claim(name: string, changed: Partial<HostClaim> = {}): HostClaim {
  const key = `ns/${name}`;
  return { kind: "Environment", key, uid: name, createdAt: "2026-01-01T00:00:00Z", wanted: ["dev", name], ...changed };
}

const OLDER = { createdAt: "2025-12-31T23:59:59Z" };
const YOUNGER = { createdAt: "2026-01-01T00:00:01Z" };

const CHOICES: Record<string, { own?: Partial<HostClaim>; rivals: HostClaim[]; host: string; by?: string }> = {
  "the short one": { rivals: [], host: "dev" },
  "the long one where another has the short one": {
    rivals: [claim("b", { given: "dev", ...YOUNGER })],
    host: "own",
  },
  "the long one where an older one is about to take the short one": { rivals: [claim("b", OLDER)], host: "own" },
  "the short one where a younger one wants it": { rivals: [claim("b", YOUNGER)], host: "dev" },
  "the short one where an older one has another": { rivals: [claim("b", { given: "b", ...OLDER })], host: "dev" },
  "the given one, although the short one is free again": { own: { given: "own" }, rivals: [], host: "own" },
  "the given one, whoever wants it": { own: { given: "dev" }, rivals: [claim("b", OLDER)], host: "dev" },
  "the given one, where a younger one has it too": {
    own: { given: "dev" },
    rivals: [claim("b", { given: "dev", ...YOUNGER })],
    host: "dev",
  },
  "another one, where an older one has the given one too": {
    own: { given: "dev" },
    rivals: [claim("b", { given: "dev", ...OLDER })],
    host: "own",
  },
  "the long one where a preview has the short one": {
    rivals: [{ ...claim("pr-7"), kind: "PreviewEnvironment", given: "dev", wanted: ["dev"] }],
    host: "own",
  },
  "none where both are taken": {
    rivals: [claim("b", { given: "dev" }), claim("c", { given: "own" })],
    host: "own",
    by: "ns/c",
  },
};

for (const [sentence, { own, rivals, host, by }] of Object.entries(CHOICES)) {
  Deno.test(`chooseHost(): ${sentence}`, () => {
    const choice = chooseHost(claim("own", own), rivals)!;
    assert.deepEqual([choice.host, choice.by?.key], [host, by]);
  });
}

Deno.test("an environment is no rival of itself", () => {
  assert.equal(chooseHost(claim("own"), [claim("own", { given: "dev" })])!.host, "dev");
});

Deno.test("whoever looks in whatever order, and however often, no host ends with two holders", () => {
  const second = fc.integer({ min: 0, max: 3 }).map((at) => `2026-01-01T00:00:0${at}Z`);
  const given = fc.option(fc.constantFrom("dev", "e0", "e1", "e2"), { nil: undefined });
  const world = fc.array(fc.record({ createdAt: second, given }), { minLength: 2, maxLength: 5 });
  fc.assert(fc.property(world, fc.array(fc.nat(4), { maxLength: 8 }), (drawn, order) => {
    const claims = drawn.map((each, index) => claim(`e${index}`, each));
    const look = (index: number): void => {
      const own = claims[index];
      if (!own) return;
      const choice = chooseHost(own, claims.filter((other) => other !== own))!;
      claims[index] = { ...own, given: choice.by ? undefined : choice.host };
    };
    order.forEach(look);
    for (let round = 0; round <= claims.length; round++) claims.forEach((_, index) => look(index));
    const held = claims.flatMap((each) => each.given ?? []);
    assert.equal(new Set(held).size, held.length, JSON.stringify(claims));
  }));
});

Deno.test("hostClaim() knows what the status gave, below the present domain only", () => {
  const at = (host: string): HostClaim => hostClaim({ ...MAKERS.Environment("e"), status: { host } }, DOMAIN);
  const wanted = [HOST, `pr-1-web-acme.${DOMAIN}`];
  assert.equal(at(`pr-1-web-acme.${DOMAIN}`).given, `pr-1-web-acme.${DOMAIN}`);
  assert.equal(at("pr-1.other.example.com").given, undefined);
  assert.deepEqual(hostClaim(MAKERS.Environment("e"), DOMAIN).wanted, wanted);
  assert.deepEqual(claimedHosts(at(`x.${DOMAIN}`)), [`x.${DOMAIN}`, ...wanted]);
});

Deno.test("an application that is not reached from outside has no host, and nobody keeps it from one", () => {
  const inside = { ...MAKERS.PortfolioApp("a"), spec: { ingress: { enabled: false, host: HOST } } };
  assert.deepEqual(claimedHosts(hostClaim(inside, DOMAIN)), []);
  assert.equal(hostProblem(chooseHost(hostClaim(inside, DOMAIN), [])), undefined);
});

/** Who wants or has {@link HOST}, which all of them may. The preview's is that of its pull request. */
const MAKERS = {
  PreviewEnvironment: (uid: string): KubeObject => made("PreviewEnvironment", uid, { pr_number: 1, branch_name: "b" }),
  Environment: (uid: string): KubeObject => made("Environment", uid, { projectRef: { name: "web" } }),
  PortfolioApp: (uid: string): KubeObject => made("PortfolioApp", uid, { ingress: { enabled: true, host: HOST } }),
};
const KINDS = ["PreviewEnvironment", "Environment", "PortfolioApp"] as const;

function made(kind: string, uid: string, spec: Record<string, unknown>): KubeObject {
  const metadata = { name: "pr-1", namespace: "acme", uid, creationTimestamp: `2026-01-01T00:00:0${uid}Z` };
  return { apiVersion: "v1", kind, metadata, spec };
}

function given(object: KubeObject): KubeObject {
  return object.kind === "Environment" ? { ...object, status: { host: HOST } } : object;
}

/** Those of the other that keep one from the host, and the other way round. */
function holders(first: KubeObject, second: KubeObject): (string | undefined)[] {
  const claims = [hostClaim(first, DOMAIN), hostClaim(second, DOMAIN)] as const;
  return [chooseHost(claims[0], [claims[1]]), chooseHost(claims[1], [claims[0]])].map((choice) =>
    choice!.host === HOST && !choice!.by ? HOST : choice!.by?.uid ?? "another host"
  );
}

for (const first of KINDS) {
  for (const second of KINDS) {
    // An Environment takes another host where this one is taken.
    const instead = second === "Environment" ? "another host" : "1";
    Deno.test(`of a ${first} and a ${second} that both have a host the older one holds it`, () => {
      const [older, younger] = [given(MAKERS[first]("1")), given(MAKERS[second]("2"))];
      assert.deepEqual(holders(older, younger), [HOST, instead]);
      assert.deepEqual(holders(younger, older), [instead, HOST], "whoever looks");
    });

    Deno.test(`of a ${first} and a ${second} of one second one holds the host, the same for both`, () => {
      const [one, other] = [given(MAKERS[first]("1")), given(MAKERS[second]("2"))];
      other.metadata.creationTimestamp = one.metadata.creationTimestamp;
      assert.deepEqual(holders(one, other), [HOST, instead]);
    });

    Deno.test(`a ${second} is told when a ${first} with its host comes, changes or goes`, () => {
      const [object, waiting] = [MAKERS[first]("1"), MAKERS[second]("2")];
      const owners = indexed(waiting);
      const concerned = ["acme/pr-1"];
      assert.deepEqual(concernedByHosts({ object }, owners, DOMAIN), concerned);
      const gone = { ...object, metadata: { ...object.metadata, name: "elsewhere" }, spec: elsewhere(object) };
      assert.deepEqual(concernedByHosts({ object: gone, old: object }, owners, DOMAIN), concerned);
      assert.deepEqual(concernedByHosts({ object: gone }, owners, DOMAIN), []);
      assert.deepEqual(concernedByHosts({ object: waiting }, owners, DOMAIN), [], "not by itself");
    });

    Deno.test(`a ${first} is a rival of a ${second}`, () => {
      const [rival, owner] = [MAKERS[first]("1"), MAKERS[second]("2")];
      const caches = Map.groupBy([rival, owner], ({ kind }) => kind);
      const found = new Map(KINDS.map((kind) => [kind as string, indexed(...caches.get(kind) ?? [])]));
      assert.deepEqual(
        rivalsOf(owner, DOMAIN, ({ kind }: Resource) => found.get(kind)!).map(({ metadata }) => metadata.uid),
        ["1"],
      );
    });
  }
}

/** The spec of the same kind for another host. */
function elsewhere({ kind, spec }: KubeObject): unknown {
  if (kind === "PreviewEnvironment") return { ...spec, pr_number: 2 };
  return kind === "PortfolioApp"
    ? { ingress: { enabled: true, host: "b.example.com" } }
    : { projectRef: { name: "b" } };
}

function indexed(...owners: KubeObject[]): Cache {
  const cache = new Cache();
  cache.addIndex(BY_HOST, (owner) => claimedHosts(hostClaim(owner, DOMAIN)));
  for (const owner of owners) cache.put({ ...owner, metadata: { ...owner.metadata, resourceVersion: "1" } });
  return cache;
}

function ingress(name: string, host?: string): KubeObject {
  const spec = { rules: [{ ...(host === undefined ? {} : { host }) }] };
  return { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name }, spec };
}

Deno.test("strayIngresses() finds those at a host of somebody else, and at hosts of before", () => {
  const all = [ingress("own", HOST), ingress("former", "b.example.com"), ingress("of none")];
  const names = (own: KubeObject, ...rivals: KubeObject[]): string[] =>
    strayIngresses(hostClaim(own, DOMAIN), rivals.map((rival) => hostClaim(rival, DOMAIN)), all)
      .map(({ metadata }) => metadata.name);
  const [older, younger] = [MAKERS.PreviewEnvironment("1"), MAKERS.PortfolioApp("2")];
  assert.deepEqual(names(older, younger), ["former"]);
  assert.deepEqual(names(younger, older), ["own", "former"]);
});

Deno.test("hostWatch() has no news but those about hosts", () => {
  const environment = MAKERS.Environment("1");
  const { reads } = hostWatch(ENVIRONMENT.resource, DOMAIN);
  assert.deepEqual(reads({ ...environment, status: { phase: "Ready" } }), reads(environment));
  assert.notDeepEqual(reads(given(environment)), reads(environment));
});
