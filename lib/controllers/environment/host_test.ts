import assert from "node:assert/strict";
import fc from "fast-check";
import { chooseHost, claimedLabels, type HostClaim, hostClaim } from "./host.ts";
import { environment } from "./test_objects.ts";

const DOMAIN = "preview.example.com";

function claim(name: string, changed: Partial<HostClaim> = {}): HostClaim {
  const key = `ns/${name}`;
  return { kind: "Environment", key, uid: name, createdAt: "2026-01-01T00:00:00Z", wanted: ["dev", name], ...changed };
}

const OLDER = { createdAt: "2025-12-31T23:59:59Z" };
const YOUNGER = { createdAt: "2026-01-01T00:00:01Z" };

const CHOICES: Record<string, { own?: Partial<HostClaim>; rivals: HostClaim[]; label: string; by?: string }> = {
  "the short one": { rivals: [], label: "dev" },
  "the long one where another has the short one": {
    rivals: [claim("b", { given: "dev", ...YOUNGER })],
    label: "own",
  },
  "the long one where an older one is about to take the short one": { rivals: [claim("b", OLDER)], label: "own" },
  "the short one where a younger one wants it": { rivals: [claim("b", YOUNGER)], label: "dev" },
  "the short one where an older one has another": { rivals: [claim("b", { given: "b", ...OLDER })], label: "dev" },
  "the given one, although the short one is free again": { own: { given: "own" }, rivals: [], label: "own" },
  "the given one, whoever wants it": { own: { given: "dev" }, rivals: [claim("b", OLDER)], label: "dev" },
  "the given one, where a younger one has it too": {
    own: { given: "dev" },
    rivals: [claim("b", { given: "dev", ...YOUNGER })],
    label: "dev",
  },
  "another one, where an older one has the given one too": {
    own: { given: "dev" },
    rivals: [claim("b", { given: "dev", ...OLDER })],
    label: "own",
  },
  "the long one where a preview has the short one": {
    rivals: [{ ...claim("pr-7"), kind: "PreviewEnvironment", given: "dev", wanted: ["dev"] }],
    label: "own",
  },
  "none where both are taken": {
    rivals: [claim("b", { given: "dev" }), claim("c", { given: "own" })],
    label: "own",
    by: "ns/c",
  },
};

for (const [sentence, { own, rivals, label, by }] of Object.entries(CHOICES)) {
  Deno.test(`chooseHost(): ${sentence}`, () => {
    const choice = chooseHost(claim("own", own), rivals);
    assert.deepEqual([choice.is, choice.label], [by ? "taken" : "given", label]);
    if (choice.is === "taken") assert.equal(choice.by.key, by);
  });
}

Deno.test("an environment is no rival of itself", () => {
  assert.equal(chooseHost(claim("own"), [claim("own", { given: "dev" })]).label, "dev");
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
      const choice = chooseHost(own, claims.filter((other) => other !== own));
      claims[index] = { ...own, given: choice.is === "given" ? choice.label : undefined };
    };
    order.forEach(look);
    for (let round = 0; round <= claims.length; round++) claims.forEach((_, index) => look(index));
    const held = claims.flatMap((each) => each.given ?? []);
    assert.equal(new Set(held).size, held.length, JSON.stringify(claims));
  }));
});

Deno.test("hostClaim() knows what the status gave, below the present domain only", () => {
  const at = (host: string): HostClaim => hostClaim(environment({}, { status: { host } }), DOMAIN);
  assert.equal(at(`dev-shop-acme.${DOMAIN}`).given, "dev-shop-acme");
  assert.equal(at("dev.other.example.com").given, undefined);
  assert.deepEqual(hostClaim(environment(), DOMAIN).wanted, ["dev", "dev-shop-acme"]);
  assert.deepEqual(claimedLabels(at(`x.${DOMAIN}`)), ["x", "dev", "dev-shop-acme"]);
});
