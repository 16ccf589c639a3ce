import assert from "node:assert/strict";
import fc from "fast-check";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import { compareQuantities } from "../../api/quantity.ts";
import { type Amounts, containerResources, limitRange, resourceQuota } from "./limits.ts";
import { preview } from "./test_objects.ts";
import { previews } from "./test_specs.ts";

type Resources = PreviewEnvironment["spec"]["resources"];

const CONTAINERS: Record<string, { given: Resources; requests: Amounts; limits: Amounts }> = {
  "nothing given": {
    given: undefined,
    requests: { cpu: "100m", memory: "128Mi" },
    limits: { cpu: "250m", memory: "256Mi" },
  },
  "an empty object": {
    given: {},
    requests: { cpu: "100m", memory: "128Mi" },
    limits: { cpu: "250m", memory: "256Mi" },
  },
  "a request below the default limit keeps that": {
    given: { requests: { cpu: "200m" } },
    requests: { cpu: "200m", memory: "128Mi" },
    limits: { cpu: "250m", memory: "256Mi" },
  },
  "a request above the default limit raises that": {
    given: { requests: { cpu: 2, memory: "1Gi" } },
    requests: { cpu: 2, memory: "1Gi" },
    limits: { cpu: 2, memory: "1Gi" },
  },
  "a limit above the default request keeps that": {
    given: { limits: { cpu: "4", memory: "4Gi" } },
    requests: { cpu: "100m", memory: "128Mi" },
    limits: { cpu: "4", memory: "4Gi" },
  },
  "a limit below the default request lowers that": {
    given: { limits: { cpu: "50m", memory: "64Mi" } },
    requests: { cpu: "50m", memory: "64Mi" },
    limits: { cpu: "50m", memory: "64Mi" },
  },
  "a limit of nothing": {
    given: { limits: { cpu: 0 } },
    requests: { cpu: 0, memory: "128Mi" },
    limits: { cpu: 0, memory: "256Mi" },
  },
  "both sides given": {
    given: { requests: { cpu: "1" }, limits: { cpu: "2" } },
    requests: { cpu: "1", memory: "128Mi" },
    limits: { cpu: "2", memory: "256Mi" },
  },
  "one side of each": {
    given: { requests: { cpu: "300m" }, limits: { memory: "100Mi" } },
    requests: { cpu: "300m", memory: "100Mi" },
    limits: { cpu: "300m", memory: "100Mi" },
  },
  "disk has no default": {
    given: { requests: { "ephemeral-storage": "1Gi" } },
    requests: { cpu: "100m", memory: "128Mi", "ephemeral-storage": "1Gi" },
    limits: { cpu: "250m", memory: "256Mi" },
  },
  "a request above its limit, which admission refuses, is cut": {
    given: { requests: { cpu: "3" }, limits: { cpu: "2" } },
    requests: { cpu: "2", memory: "128Mi" },
    limits: { cpu: "2", memory: "256Mi" },
  },
};

for (const [sentence, { given, requests, limits }] of Object.entries(CONTAINERS)) {
  Deno.test(`containerResources(): ${sentence}`, () => {
    assert.deepEqual(containerResources(given), { requests, limits });
  });
}

Deno.test("containerResources() never asks for more than it allows", () => {
  fc.assert(fc.property(previews, ({ spec }) => {
    const { requests, limits } = containerResources(spec.resources);
    for (const [name, request] of Object.entries(requests)) {
      const limit = limits[name];
      assert.ok(limit === undefined || compareQuantities(request, limit) <= 0, `${name}: ${request} > ${limit}`);
    }
  }));
});

function hard(spec: PreviewEnvironment["spec"], held?: Amounts): Record<string, string> {
  return resourceQuota("preview-pr-7", spec, { tls: { mode: "none" }, held }).spec.hard;
}

Deno.test("a quota has room for all old Pods, all new ones, the surge and two to spare", () => {
  assert.deepEqual(hard(preview({ replicas: 3, resources: { limits: { memory: "1Gi" } } }).spec), {
    pods: "9",
    "requests.cpu": "900m",
    "requests.memory": "1152Mi",
    "limits.cpu": "2250m",
    "limits.memory": "9Gi",
    "services.loadbalancers": "0",
    "services.nodeports": "0",
    persistentvolumeclaims: "0",
  });
});

/** Amounts of so many of our Pods and so many that name none, which the LimitRange fills in. */
function sumOf(spec: PreviewEnvironment["spec"], pods: { ours: number; bare: number }): [string, number][] {
  const ours = containerResources(spec.resources);
  const { default: limits, defaultRequest: requests } = limitRange("x").spec.limits[0];
  return [["cpu", "cpu"], ["memory", "memory"]].flatMap(([name]) => [
    [`requests.${name}`, pods.ours * milli(ours.requests[name!]!) + pods.bare * milli(requests[name!])],
    [`limits.${name}`, pods.ours * milli(ours.limits[name!]!) + pods.bare * milli(limits[name!])],
  ]);
}

/** Thousandths, as floating point: near enough beside what a whole Pod takes. */
function milli(quantity: string | number): number {
  const units: Record<string, number> = {
    u: 1e-6,
    m: 1e-3,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
  };
  const [, number = "", unit = ""] = /^([0-9.]+(?:e[0-9]+)?)([a-zA-Z]*)$/.exec(String(quantity)) ?? [];
  return Number(number) * (units[unit] ?? 1) * 1000;
}

Deno.test("a quota admits every legal rollout, and beside it a Pod without requests and cert-manager's", () => {
  fc.assert(fc.property(previews, ({ spec }) => {
    const quota = hard(spec);
    const pods = { ours: 2 * spec.replicas + 1, bare: 2 };
    assert.ok(Number(quota.pods) >= pods.ours + pods.bare);
    for (const [name, sum] of sumOf(spec, pods)) {
      assert.ok(milli(quota[name]!) * (1 + 1e-9) >= sum, `${name}: ${quota[name]} < ${sum} thousandths`);
    }
  }));
});

const HELD: Record<string, { held: Amounts | undefined; memory: string; pods: string }> = {
  "nothing held": { held: undefined, memory: "1280Mi", pods: "5" },
  "what a larger spec before needs is kept": {
    held: { "limits.memory": "20Gi", pods: "9" },
    memory: "20Gi",
    pods: "9",
  },
  "what a smaller spec before needed is not enough": {
    held: { "limits.memory": "1Gi", pods: "4" },
    memory: "1280Mi",
    pods: "5",
  },
  "the same in other words changes nothing": {
    held: { "limits.memory": String(1280 * 2 ** 20), pods: "5" },
    memory: "1280Mi",
    pods: "5",
  },
  "what is no quantity does not count": { held: { "limits.memory": "a lot", pods: "" }, memory: "1280Mi", pods: "5" },
};

for (const [sentence, { held, memory, pods }] of Object.entries(HELD)) {
  Deno.test(`a quota while Pods of an older spec may be there: ${sentence}`, () => {
    const quota = hard(preview().spec, held);
    assert.equal(quota["limits.memory"], memory);
    assert.equal(quota.pods, pods);
  });
}

Deno.test("a quota never holds on to what is forbidden", () => {
  const quota = hard(preview().spec, {
    "services.loadbalancers": "5",
    "services.nodeports": "5",
    persistentvolumeclaims: "5",
  });
  assert.equal(quota["services.loadbalancers"], "0");
  assert.equal(quota["services.nodeports"], "0");
  assert.equal(quota.persistentvolumeclaims, "0");
});

Deno.test("a quota lets cert-manager prove the host by a Service of type NodePort", () => {
  const quota = resourceQuota("x", preview().spec, { tls: { mode: "cert-manager", clusterIssuer: "letsencrypt" } });
  assert.equal(quota.spec.hard["services.nodeports"], "1");
});

Deno.test("an amount of more digits than can be compared is taken as it is", () => {
  const amount = "9".repeat(32);
  const { spec } = preview({ replicas: 20, resources: { requests: { memory: amount } } });
  assert.equal(hard(spec, { "requests.memory": "1Gi" })["requests.memory"], String(BigInt(amount) * 43n));
});
