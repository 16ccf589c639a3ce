/**
 * PortfolioApps through kubectl alone, against a real API server, real controllers and the operator as its own process
 * under its own ServiceAccount.
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { statusRules } from "../../lib/runtime/status_rules.ts";
import { auditMark, beyondWatching, brief, requestsSince, writes } from "../audit.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { app, AppTerminal, TEAM } from "./apps.ts";
import { condition, OPERATOR, preview } from "./previews.ts";

const DEPLOYMENT: [string, string] = ["deployment", "shop-deployment"];

/** A change of the spec, and what becomes of the container or Pod. */
const POD_CHANGES: Record<
  string,
  [spec: Record<string, unknown>, seen: (pod: KubeObject["spec"]) => unknown, is: unknown]
> = {
  "version": [{ version: "v2" }, ({ containers: [c] }) => c.image, "ghcr.io/acme/shop:v2"],
  "image": [{ image: "ghcr.io/acme/other" }, ({ containers: [c] }) => c.image, "ghcr.io/acme/other:v2"],
  "port": [{ port: 3000 }, ({ containers: [c] }) => c.ports[0].containerPort, 3000],
  "env": [{ env: { B: "2", A: "" } }, ({ containers: [c] }) => c.env, [{ name: "A" }, { name: "B", value: "2" }]],
  "resources": [{ resources: { requests: { cpu: "50m" } } }, ({ containers: [c] }) => c.resources.requests.cpu, "50m"],
  "config": [
    { config: { WORD: "one" } },
    ({ containers: [c] }) => c.envFrom,
    [{ configMapRef: { name: "shop-config" } }],
  ],
  "storage": [
    { storage: { size: "1Gi", mountPath: "/var/lib/shop" } },
    ({ containers: [c] }) => c.volumeMounts,
    [{ name: "config", mountPath: "/etc/config", readOnly: true }, { name: "data", mountPath: "/var/lib/shop" }],
  ],
  "shutdown": [
    { shutdown: { gracePeriodSeconds: 7, preStop: ["sleep", "1"] } },
    (
      { terminationGracePeriodSeconds, containers: [c] },
    ) => [terminationGracePeriodSeconds, c.lifecycle.preStop.exec.command],
    [7, ["sleep", "1"]],
  ],
  "probes": [
    { probes: { readiness: { path: "/ready", periodSeconds: 3 } } },
    ({ containers: [c] }) => [c.readinessProbe.httpGet.path, c.readinessProbe.httpGet.port, c.livenessProbe],
    ["/ready", 3000, undefined],
  ],
};

Deno.test("a portfolio application through kubectl alone", async (t) => {
  await using plane = await startControlPlane();
  await using operator = await install(plane, { flags: ["--tls=none", "--cleanup-deadline-seconds=3"] });
  const terminal = await AppTerminal.open(plane);
  const step = (name: string, run: () => Promise<void>): Promise<boolean> =>
    t.step(name, async () => {
      await run();
      for (const object of await terminal.list("papp", "-n", TEAM)) assert.deepEqual(statusRules(object), []);
    });
  const podSpec = async (): Promise<KubeObject["spec"]> => (await terminal.child(...DEPLOYMENT))?.spec.template.spec;

  await step("it becomes Running, and kubectl get tells all of it", async () => {
    await terminal.create(app("shop", { replicas: 2, ingress: { enabled: true, host: "shop.example.com" } }));
    await plane.kubectl(["wait", "--for=condition=Ready", "papp/shop", "-n", TEAM, "--timeout=180s"]);
    const { stdout } = await plane.kubectl(["get", "papp", "-n", TEAM]);
    assert.match(stdout, /NAME +IMAGE +VERSION +READY +PHASE +URL +AGE/);
    assert.match(stdout, /shop +ghcr\.io\/acme\/shop +v1 +2\/2 +Running +http:\/\/shop\.example\.com +\d+/);
    const deployment = (await terminal.child(...DEPLOYMENT))!;
    assert.deepEqual(deployment.spec.strategy.rollingUpdate, { maxSurge: 1, maxUnavailable: 0 });
    assert.ok(await terminal.child("pdb", "shop-budget"));
    assert.equal((await terminal.child("ingress", "shop-ingress"))?.spec.rules[0].host, "shop.example.com");
    const { inventory } = (await terminal.app("shop"))!.status;
    assert.deepEqual(
      inventory.map(({ name }: { name: string }) => name),
      ["shop-service", "shop-ingress", "shop-budget", "shop-deployment"],
    );
    for (const { kind, name } of inventory) {
      const { metadata } = (await terminal.child(kind, name))!;
      assert.equal(metadata.ownerReferences?.[0]?.kind, "PortfolioApp", name);
      assert.equal(metadata.annotations?.["maquette.dev/owner"], "PortfolioApp.portfolio.example.com/team/shop");
    }
  });

  for (const [field, [spec, seen, expected]] of Object.entries(POD_CHANGES)) {
    await step(`a change of ${field} reaches the Pods`, async () => {
      await terminal.change("shop", spec);
      await terminal.untilAppPhase("shop", "Running");
      assert.deepEqual(seen(await podSpec()), expected);
    });
  }

  await step("the version that is rolled out is told", async () => {
    const { status } = await terminal.untilAppPhase("shop", "Running");
    assert.deepEqual([status.version, status.image], ["v2", "ghcr.io/acme/other:v2"]);
  });

  await step("another text in the configuration rolls the Pods", async () => {
    const before = (await terminal.child(...DEPLOYMENT))!.spec.template.metadata;
    await terminal.change("shop", { config: { WORD: "two", "a.yaml": "x: 1\n" } });
    await terminal.untilAppPhase("shop", "Running");
    assert.deepEqual((await terminal.child("configmap", "shop-config"))?.data, { WORD: "two", "a.yaml": "x: 1\n" });
    const { annotations } = (await terminal.child(...DEPLOYMENT))!.spec.template.metadata;
    assert.notEqual(annotations["maquette.dev/config"], before.annotations["maquette.dev/config"]);
  });

  await step("replicas are changed, and one replica needs no budget", async () => {
    await terminal.change("shop", { replicas: 1 });
    await terminal.untilNoChild("pdb", "shop-budget");
    const { status } = await terminal.untilAppPhase("shop", "Running");
    assert.deepEqual([status.replicas, status.readyReplicas, status.ready], [1, 1, "1/1"]);
  });

  await step(
    "without a host of its own it is below the domain, and without an ingress within the cluster",
    async () => {
      await terminal.change("shop", { ingress: { enabled: true, host: null } });
      const { status } = await terminal.untilApp("shop", "to move", ({ status }) => status.url.includes("localhost"));
      assert.equal(status.url, "http://shop-team.preview.localhost");
      await terminal.change("shop", { ingress: null });
      await terminal.untilNoChild("ingress", "shop-ingress");
      const inside = await terminal.untilApp("shop", "to be inside", ({ status }) => status.url.endsWith(".svc"));
      assert.equal(inside.status.url, "http://shop-service.team.svc");
    },
  );

  await step("a volume is bound, its size does not shrink and its class stays", async () => {
    const owner = await terminal.untilApp(
      "shop",
      "to have a volume",
      (object) => condition(object, "StorageReady")?.status === "True",
    );
    assert.match(condition(owner, "StorageReady")!.message, /"shop-data" is bound/);
    const refused = async (storage: unknown): Promise<string> =>
      (await plane.kubectl([
        "patch",
        "papp",
        "shop",
        "-n",
        TEAM,
        "--type=merge",
        "-p",
        JSON.stringify({ spec: { storage } }),
      ], {
        check: false,
      })).stderr;
    assert.match(await refused({ size: "500Mi" }), /spec\.storage\.size: Must be at least 1Gi: a volume never shrinks/);
    assert.match(await refused({ storageClassName: "fast" }), /Field "storageClassName" is immutable/);
  });

  await step("the autoscaler has the number of Pods, and gives it back", async () => {
    await terminal.change("shop", { replicas: 3 });
    await terminal.untilAppPhase("shop", "Running");
    await terminal.change("shop", {
      autoscaling: { minReplicas: 1, maxReplicas: 5, targetMemoryUtilizationPercentage: 60 },
    });
    await terminal.untilChild(
      DEPLOYMENT,
      "to be handed over",
      ({ metadata }) => metadata.annotations?.["maquette.dev/scaled-by"] === "autoscaler",
    );
    const autoscaler = await terminal.untilChild(["hpa", "shop-autoscaler"], "to be there", () => true);
    assert.deepEqual(autoscaler.spec.metrics.map(({ resource }: KubeObject) => resource.name), ["memory"]);
    await terminal.untilAppPhase("shop", "Running");
    assert.equal((await terminal.child(...DEPLOYMENT))?.spec.replicas, 3, "handing over changes nothing");
    await plane.kubectl(["scale", "deployment", "shop-deployment", "-n", TEAM, "--replicas=4"]);
    await terminal.untilApp("shop", "to have 4 Pods", ({ status }) => status.ready === "4/4");
    await terminal.change("shop", { version: "v3" });
    await terminal.untilApp("shop", "to roll", ({ status }) => status.version === "v3" && status.phase === "Running");
    assert.equal((await terminal.child(...DEPLOYMENT))?.spec.replicas, 4, "a rollout leaves the number alone");
    const owner = await terminal.untilApp(
      "shop",
      "to say that there are no metrics",
      (object) => condition(object, "AutoscalingActive")?.status === "False",
    );
    assert.match(condition(owner, "AutoscalingActive")!.message, /The cluster has no metrics API/);
    await terminal.change("shop", { autoscaling: null });
    await terminal.untilNoChild("hpa", "shop-autoscaler");
    await terminal.untilApp("shop", "to have 3 Pods", ({ status }) => status.ready === "3/3");
  });

  await step("options that are taken away take their children along, but for the volume", async () => {
    await terminal.change("shop", {
      storage: null,
      config: null,
      replicas: 2,
      probes: null,
      shutdown: null,
      env: null,
    });
    await terminal.untilNoChild("configmap", "shop-config");
    const owner = await terminal.untilAppPhase("shop", "Running");
    assert.ok(await terminal.child("pvc", "shop-data"));
    assert.match(condition(owner, "HasWarnings")!.message, /"shop-data" is kept/);
    assert.equal((await podSpec()).volumes, undefined);
  });

  await step("a child that is deleted or edited by hand comes back", async () => {
    await terminal.remove("service", "shop-service", TEAM);
    await waitFor("the Service to be back", () => terminal.child("service", "shop-service"));
    await plane.kubectl(["-n", TEAM, "set", "image", "deployment/shop-deployment", "app=evil:v1"]);
    await waitUntil(
      "the image to be set back",
      async () => (await podSpec()).containers[0].image,
      (image) => image === "ghcr.io/acme/other:v3",
    );
    await terminal.change("shop", { config: { WORD: "three" } });
    await terminal.untilAppPhase("shop", "Running");
    await terminal.patch("configmap", "shop-config", { data: { WORD: "forged" } }, TEAM);
    await terminal.untilChild(["configmap", "shop-config"], "to be set back", ({ data }) => data.WORD === "three");
    await terminal.untilAppPhase("shop", "Running");
  });

  await step("an image that does not exist is Failed with the reason, and the old version keeps serving", async () => {
    await terminal.change("shop", { version: "missing" });
    const isTold = (object: KubeObject): boolean =>
      object.status.phase === "Failed" &&
      /cannot pull image "ghcr\.io\/acme\/other:missing".*keeps serving/s.test(condition(object, "Ready")!.message);
    const owner = await terminal.untilApp("shop", "to say why", isTold);
    assert.deepEqual([owner.status.version, owner.status.ready], ["v3", "2/2"]);
    await terminal.change("shop", { version: "v4" });
    await terminal.untilApp(
      "shop",
      "to be mended",
      ({ status }) => status.version === "v4" && status.phase === "Running",
    );
  });

  await step("an object of somebody else is named, and neither changed nor deleted", async () => {
    await terminal.create({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "taken-config", namespace: TEAM },
      data: { mine: "yes" },
    });
    await terminal.create(app("taken", { config: { A: "1" } }));
    const owner = await terminal.untilAppReason("taken", "NotOwned");
    assert.match(condition(owner, "Stalled")!.message, /ConfigMap "team\/taken-config" exists/);
    await terminal.remove("papp", "taken", TEAM);
    assert.deepEqual((await terminal.child("configmap", "taken-config"))?.data, { mine: "yes" });
  });

  await step("a host belongs to whoever had it first, of whatever kind", async () => {
    await terminal.create(preview(7));
    await terminal.untilPhase("pr-7", "Ready");
    const host = { ingress: { enabled: true, host: "pr-7.preview.localhost" } };
    assert.match(
      await terminal.refusal(app("rival", host)),
      /spec\.ingress\.host: Host .* belongs to another PreviewEnvironment/,
    );
    await terminal.create(app("first", { ingress: { enabled: true, host: "pr-8.preview.localhost" } }));
    assert.match(await terminal.refusal(preview(8)), /belongs to another PortfolioApp already: "team\/first"/);
    assert.match(
      await terminal.refusal(app("second", { ingress: { enabled: true, host: "pr-8.preview.localhost" } })),
      /belongs to another PortfolioApp/,
    );
  });

  await step("everything that is wrong comes in one answer", async () => {
    const { code, stderr } = await plane.kubectl(["create", "-f", "deploy/samples/illegal/portfolio_app.yaml"], {
      check: false,
    });
    assert.equal(code, 1);
    for (const field of ["spec.image", "spec.replicas", "spec.ingress.host", "spec.storage.size"]) {
      assert.ok(stderr.includes(`${field}: `), stderr);
    }
  });

  await step("paused, nothing is changed", async () => {
    await plane.kubectl(["annotate", "papp", "shop", "-n", TEAM, "maquette.dev/paused=true"]);
    await terminal.change("shop", { version: "v5" });
    await terminal.untilAppReason("shop", "Paused");
    assert.match((await podSpec()).containers[0].image, /:v4$/);
    await plane.kubectl(["annotate", "papp", "shop", "-n", TEAM, "maquette.dev/paused-"]);
    await terminal.untilApp("shop", "to go on", ({ status }) => status.version === "v5" && status.phase === "Running");
  });

  await step("one with everything comes to rest", async () => {
    await terminal.create(app("everything", {
      env: { EMPTY: "", A: "1" },
      config: { B: "2" },
      resources: { requests: { cpu: "500m", memory: "1024Mi" }, limits: { cpu: "1000m" } },
      ingress: { enabled: true },
      storage: { size: "1024Mi", accessModes: ["ReadWriteMany"] },
      autoscaling: {
        maxReplicas: 3,
        metrics: [
          { external: { name: "queue", selector: { a: "b" }, value: "1000m" } },
          { pods: { name: "rps", averageValue: "1000m" } },
        ],
      },
      shutdown: { preStop: ["true"] },
      backup: {
        when: "schedule",
        schedule: "@daily",
        tool: "volume",
        destination: { pvc: { claimName: "elsewhere" } },
      },
      probes: { startup: {}, liveness: {}, readiness: {} },
    }));
    await terminal.untilAppPhase("everything", "Running");
    // Until then nobody knows whether it scales: the controller has its first look at an autoscaler after 15 s.
    await terminal.untilApp(
      "everything",
      "to have heard of its autoscaler",
      (object) => condition(object, "AutoscalingActive")?.status === "False",
    );
  });

  await step("a restart writes nothing", async () => {
    await operator.stop();
    const mark = plane.auditLogPath ? await auditMark(plane.auditLogPath) : 0;
    await operator.start();
    await waitFor(
      "the leader to have looked at all",
      async () => await operator.metric("maquette_reconcile_duration_seconds_count", { kind: "PortfolioApp" }) >= 3,
    );
    if (!plane.auditLogPath) return;
    const requests = (await requestsSince(plane.auditLogPath, mark, OPERATOR)).filter(({ uri }) => uri !== "/version");
    assert.deepEqual(writes(requests).map(brief), []);
    assert.deepEqual(beyondWatching(requests).map(brief), []);
  });

  await step("deleted, it leaves nothing but the volume that nobody has saved", async () => {
    await terminal.remove("papp", "shop", TEAM, "--timeout=120s");
    for (const kind of ["deployment", "service", "configmap", "pods", "hpa", "pdb", "ingress", "jobs"]) {
      const left = await terminal.list(kind, "-n", TEAM, "-l", "app.kubernetes.io/instance=shop");
      assert.deepEqual(left.map(({ metadata }) => metadata.name), [], kind);
    }
    const { metadata } = (await terminal.child("pvc", "shop-data"))!;
    assert.equal(metadata.labels?.["maquette.dev/owner-uid"], undefined);
    assert.equal(metadata.annotations?.["maquette.dev/owner"], "PortfolioApp.portfolio.example.com/team/shop");
    assert.ok((await terminal.list("events", "-n", TEAM)).some(({ reason }) => reason === "VolumeKept"));
  });

  await step("a volume that stayed is a new application's once somebody says so", async () => {
    await terminal.create(app("shop", { storage: { size: "1Gi" } }));
    const owner = await terminal.untilAppReason("shop", "NotOwned");
    const marks = ["app.kubernetes.io/managed-by=maquette", `maquette.dev/owner-uid=${owner.metadata.uid}`];
    await plane.kubectl(["label", "pvc", "shop-data", "-n", TEAM, ...marks]);
    await terminal.untilAppPhase("shop", "Running");
  });
});
