import assert from "node:assert/strict";
import { portfolioApp } from "../../tests/fixtures/portfolio_apps.ts";
import { contextWith } from "../testing.ts";
import { type Verdict, verdict } from "../verdict.ts";
import { PORTFOLIO_APP_RULES } from "./portfolio_app.ts";

type Spec = Record<string, unknown>;

const STORAGE = { size: "1Gi" };

function saved(claimName: string): Spec {
  return { tool: "volume", destination: { pvc: { claimName } } };
}

function judged(spec: Spec, before?: Spec): Verdict {
  const old = before && portfolioApp(before);
  return verdict(PORTFOLIO_APP_RULES, portfolioApp(spec), old, contextWith({}));
}

Deno.test("a volume is not saved to itself", () => {
  const own = `${portfolioApp().metadata.name}-data`;
  const { problems } = judged({ storage: STORAGE, backup: saved(own) });
  assert.deepEqual(problems.map(({ field }) => field), ["spec.backup.destination.pvc.claimName"]);
  assert.deepEqual(judged({ storage: STORAGE, backup: saved("backups") }).problems, []);
});

const WARNINGS: Record<string, [spec: Spec, before: Spec | undefined, says: RegExp | undefined]> = {
  "a volume is to be saved, and there is none": [{ backup: saved("b") }, undefined, /nothing is saved/],
  "a volume is to be saved that stays without its field": [
    { backup: saved("b") },
    { storage: STORAGE, backup: saved("b") },
    /The volume is kept/,
  ],
  "a volume is for one Pod alone": [
    { replicas: 2, storage: { ...STORAGE, accessModes: ["ReadWriteOncePod"] }, backup: saved("b") },
    undefined,
    /one Pod runs at a time/,
  ],
  "all is well": [{ storage: STORAGE, backup: saved("b") }, undefined, undefined],
};

for (const [sentence, [spec, before, says]] of Object.entries(WARNINGS)) {
  Deno.test(`a PortfolioApp ${says ? "is warned" : "is not warned"} where ${sentence}`, () => {
    const { warnings } = judged(spec, before);
    assert.equal(warnings.length, says ? 1 : 0, warnings.join("\n"));
    if (says) assert.match(warnings[0]!, says);
  });
}
