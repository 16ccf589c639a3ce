/**
 * An application whose load decides how many Pods it has, on a real node: first without a metrics API, then with one.
 */
import assert from "node:assert/strict";
import { run } from "../../deploy/image/debian.ts";
import type { KubeObject } from "../../lib/api/object.ts";
import { statusRules } from "../../lib/runtime/status_rules.ts";
import { app, AppTerminal, TEAM } from "../integration/apps.ts";
import { condition } from "../integration/previews.ts";
import { waitUntil } from "../wait.ts";
import { Answers } from "./answers.ts";
import { Cluster, DOMAIN } from "./cluster.ts";
import { WEB } from "./images.ts";
import { isEndToEnd, settings } from "./settings.ts";
import { Transcript } from "./transcript.ts";

const URL_OF_SHOP = `http://shop-${TEAM}.${DOMAIN}`;
const DEPLOYMENT = ["deployment", "shop-deployment"] as const;
const AUTOSCALER = ["hpa", "shop-autoscaler"] as const;
/** The autoscaler looks every 15 s, at figures that are half a minute old; five minutes are its own patience. */
const SCALING_MS = 180_000;
/** What a busy Pod takes is more than twice what it is meant to take, and three of them take more than that still. */
const RESOURCES = { requests: { cpu: "40m", memory: "16Mi" }, limits: { cpu: "200m", memory: "64Mi" } };
const AUTOSCALING = { maxReplicas: 3, targetCPUUtilizationPercentage: 50 };
/** Metrics that a bare cluster has not, by the name of the application that wants them. */
const FOREIGN = {
  custom: [{ pods: { name: "requests", averageValue: 10 } }],
  external: [{ external: { name: "queue", value: 5 } }],
};
const LACKING = { shop: "metrics API", custom: "custom metrics API", external: "external metrics API" };

const canMeasure = isEndToEnd && settings().metrics.length > 0;

Deno.test({ name: "an application scales with its load on a real node", ignore: !canMeasure }, async (t) => {
  await using cluster = await Cluster.prepare();
  const { plane } = cluster;
  const at = new AppTerminal(plane);
  const transcript = new Transcript();
  transcript.section("An application that scales with its load");
  const show = async (...args: string[]): Promise<void> => {
    transcript.quote(`kubectl get ${args.join(" ")}`, (await plane.kubectl(["get", "-n", TEAM, ...args])).stdout);
  };
  const hasNone = (await plane.kubectl(["get", "apiservice", "v1beta1.metrics.k8s.io"], { check: false })).code !== 0;
  await at.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: TEAM } });
  await at.apply(web("shop", { replicas: 2, ingress: { enabled: true } }));
  await untilReady(at, "2/2");
  await at.change("shop", { autoscaling: AUTOSCALING });

  await t.step({
    name: "without a metrics API the number of Pods stays, and a condition says what lacks",
    ignore: !hasNone,
    fn: async () => {
      await at.apply(
        ...Object.entries(FOREIGN).map(([name, metrics]) => web(name, { autoscaling: { maxReplicas: 3, metrics } })),
      );
      for (const [name, api] of Object.entries(LACKING)) {
        const owner = await untilScaling(at, name, "NoMetricsApi");
        const { status, message } = condition(owner, "AutoscalingActive")!;
        assert.equal(status, "False");
        assert.ok(message.startsWith(`The cluster has no ${api} that answers`), message);
        transcript.quote(`condition AutoscalingActive of ${name}`, message);
      }
      assert.deepEqual(await deployed(at), [2, 2]);
      for (const name of Object.keys(FOREIGN)) await at.remove("papp", name, TEAM, "--timeout=300s");
    },
  });

  await t.step("a metrics API that comes later is noticed, and nobody touches the application", async () => {
    const { generation } = (await at.app("shop"))!.metadata;
    const [program, ...args] = cluster.settings.metrics;
    await run(program!, args);
    const owner = await untilScaling(at, "shop", "Scaling");
    const { status, message } = condition(owner, "AutoscalingActive")!;
    assert.deepEqual([status, message], ["True", "The load decides, between 1 and 3 Pods"]);
    assert.equal(owner.metadata.generation, generation);
    transcript.quote("condition AutoscalingActive with metrics-server", message);
    await show(...AUTOSCALER);
  });

  await t.step("under load there are more Pods, and a new version keeps their number", async () => {
    const readySince = await transitionOf(at);
    await using load = new Answers(cluster, `${URL_OF_SHOP}/burn?for=100ms`);
    await untilReady(at, "3/3", SCALING_MS);
    assert.deepEqual(await deployed(at), [3, 3]);
    assert.equal(await transitionOf(at), readySince, "it was ready all the time");
    await show("papp,hpa,pdb");
    await at.change("shop", { env: { VERSION: "v2" } });
    await untilReady(at, "3/3");
    const answer = await cluster.untilAnswers(`${URL_OF_SHOP}/`, ({ text }) => text.startsWith("web v2"));
    assert.equal((await at.child(...DEPLOYMENT))!.spec.replicas, 3);
    assert.deepEqual((await managersOfReplicas(at)).filter((manager) => manager.startsWith("maquette")), []);
    transcript.quote(`GET ${URL_OF_SHOP}/ after a change of env`, `${answer.status} ${answer.text}`);
    transcript.say(`spec.replicas of the Deployment belongs to ${(await managersOfReplicas(at)).join(", ")}`);
    assert.deepEqual(await load.failures(), []);
    transcript.say(`${load.count} requests that kept Pods busy, each answered with 200`);
  });

  await t.step(
    "after it there are the fewest Pods again, at the pace that somebody has given the autoscaler",
    async () => {
      const readySince = await transitionOf(at);
      const behavior = { scaleDown: { stabilizationWindowSeconds: 15 } };
      await at.patch(...AUTOSCALER, { spec: { behavior } }, TEAM);
      const owner = await untilReady(at, "1/1", SCALING_MS);
      // Pods that are too many are on their way out, and are counted for a moment yet.
      await waitUntil("one Pod to be left", () => deployed(at), (pods) => pods.join() === "1,1");
      assert.equal(await transitionOf(at), readySince, "it was ready all the time");
      const { spec } = (await at.child(...AUTOSCALER))!;
      assert.equal(spec.behavior.scaleDown.stabilizationWindowSeconds, 15);
      assert.deepEqual(statusRules(owner), []);
      await show("papp");
    },
  );

  await t.step("without autoscaling the spec decides again", async () => {
    await at.change("shop", { autoscaling: null });
    await at.untilNoChild(...AUTOSCALER);
    const owner = await untilReady(at, "2/2");
    assert.equal(condition(owner, "AutoscalingActive"), undefined);
    assert.ok((await managersOfReplicas(at)).includes("maquette"));
    await show("papp");
  });

  await t.step("deleted, it leaves nothing", async () => {
    await at.remove("papp", "--all", TEAM, "--timeout=300s");
    // Containers have ended then; their Pods go when the kubelet has said so.
    await at.untilNone("deployments,pods,services,ingresses,pdb,hpa", "-n", TEAM);
    await at.remove("namespace", TEAM);
  });
});

/** An application of the test's own web server. */
function web(name: string, spec: Record<string, unknown>): KubeObject {
  return app(name, { image: WEB, version: "v1", port: 8000, resources: RESOURCES, ...spec });
}

/** Of the Deployment: how many Pods are asked for, and how many serve. */
async function deployed(at: AppTerminal): Promise<[wanted: number, available: number]> {
  const { spec, status } = (await at.child(...DEPLOYMENT))!;
  return [spec.replicas, status.availableReplicas];
}

async function untilReady(at: AppTerminal, ready: string, timeoutMs = 120_000): Promise<KubeObject> {
  const isWanted = ({ status }: KubeObject): boolean => status.ready === ready && status.phase === "Running";
  return await at.untilApp("shop", `to be Running with ${ready}`, isWanted, timeoutMs);
}

async function untilScaling(at: AppTerminal, name: string, reason: string): Promise<KubeObject> {
  const isWanted = (owner: KubeObject): boolean => condition(owner, "AutoscalingActive")?.reason === reason;
  return await at.untilApp(name, `to say ${reason}`, isWanted, SCALING_MS);
}

/** Since when the application is Ready, or is not. */
async function transitionOf(at: AppTerminal): Promise<string> {
  const conditions: { type: string; lastTransitionTime: string }[] = (await at.app("shop"))!.status.conditions;
  return conditions.find(({ type }) => type === "Ready")!.lastTransitionTime;
}

/** Who has set the number of Pods. */
async function managersOfReplicas({ plane }: AppTerminal): Promise<string[]> {
  const { stdout } = await plane.kubectl(["get", ...DEPLOYMENT, "-n", TEAM, "--show-managed-fields", "-o", "json"]);
  const managers: { manager: string; fieldsV1: KubeObject }[] = JSON.parse(stdout).metadata.managedFields;
  return managers.filter(({ fieldsV1 }) => "f:replicas" in (fieldsV1["f:spec"] ?? {})).map(({ manager }) => manager);
}
