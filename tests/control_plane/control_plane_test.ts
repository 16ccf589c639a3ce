import assert from "node:assert/strict";
import { waitFor, waitUntil } from "../wait.ts";
import { type ControlPlane, startControlPlane } from "./control_plane.ts";
import * as objects from "./test_objects.ts";
import { exists, processesOf, withEnvironment } from "./test_processes.ts";

// deno-lint-ignore no-explicit-any -- objects of the API server, as they come
type Anything = any;

Deno.test("a local control plane behaves like a cluster", async (t) => {
  await using plane = await startControlPlane();

  await t.step("a Deployment rolls out and its endpoints become ready", async () => {
    await apply(
      plane,
      objects.deployment("web", "registry.example.com:5000/crash-team/web:1.2"),
      objects.service("web"),
    );
    await plane.kubectl(["rollout", "status", "deployment/web", "--timeout=120s"]);
    const slices = ["endpointslices", "--selector", "kubernetes.io/service-name=web"];
    await waitUntil("two ready endpoints", async () => (await get(plane, ...slices)).items, (items) => {
      const endpoints = items.flatMap((item: Anything) => item.endpoints ?? []);
      return endpoints.length === 2 && endpoints.every((it: Anything) => it.conditions.ready);
    });
  });

  await t.step("a Job completes, and one that crashes fails", async () => {
    await apply(plane, objects.job("good", "migrate:1"), objects.job("bad", "migrate:crash"));
    await plane.kubectl(["wait", "--for=condition=Complete", "job/good", "--timeout=120s"]);
    await plane.kubectl(["wait", "--for=condition=Failed", "job/bad", "--timeout=120s"]);
  });

  for (const [sentence, [image, isAsDescribed]] of Object.entries(images)) {
    await t.step(sentence, async () => {
      const name = image.replaceAll(/[^a-z0-9]/g, "-");
      await apply(plane, objects.pod(name, { image }));
      await waitUntil(sentence, async () => (await get(plane, "pod", name)).status, isAsDescribed);
      await plane.kubectl(["delete", "pod", name, "--timeout=60s"]);
    });
  }

  for (const [sentence, [image, isAsDescribed]] of Object.entries(finishingImages)) {
    await t.step(sentence, async () => {
      const name = `never-${image.replaceAll(/[^a-z0-9]/g, "-")}`;
      await apply(plane, objects.pod(name, { image }, { restartPolicy: "Never" }));
      await waitUntil(sentence, async () => (await get(plane, "pod", name)).status, isAsDescribed);
    });
  }

  await t.step("an annotation chooses the behaviour before the image does", async () => {
    const annotations = { "simulate.maquette.dev/behaviour": "unready" };
    const base = objects.pod("annotated", { image: "shop/web:crash" });
    await apply(plane, { ...base, metadata: { ...base.metadata, annotations } });
    await waitUntil(
      "the pod to run",
      async () => (await get(plane, "pod", "annotated")).status.phase,
      (it) => it === "Running",
    );
  });

  for (const [sentence, [container, text]] of Object.entries(logs)) {
    await t.step(sentence, async () => {
      const name = sentence.replaceAll(/[^a-z0-9]+/g, "-").slice(0, 50);
      await apply(plane, objects.pod(name, { image: "busybox:1.37", ...container }, { restartPolicy: "Never" }));
      await waitUntil(`the log of ${name}`, () => log(plane, name), (it) => it.stdout === text);
    });
  }

  await t.step("the log of a crashed container tells why, as does the one before", async () => {
    await apply(plane, objects.pod("crashing", { image: "shop/web:crash" }));
    await waitUntil(
      "a log",
      () => log(plane, "crashing"),
      (it) => it.stdout.includes("panic: cannot connect to database"),
    );
    await waitUntil("the log before", () => log(plane, "crashing", "--previous"), (it) => it.code === 0);
    const tail = await log(plane, "crashing", "--tail=1");
    assert.match(tail.stdout, /^\s.*main\.go:42.*\n$/);
  });

  await t.step("a claim gets a volume, and its pod starts", async () => {
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
    await apply(plane, objects.claim("data"), objects.pod("database", { image: "postgres:17" }, { volumes }));
    await plane.kubectl(["wait", "--for=condition=Ready", "pod/database", "--timeout=120s"]);
    await plane.kubectl(["delete", "pod/database", "pvc/data", "--timeout=60s"]);
    await waitUntil("no volume to be left", async () => (await get(plane, "pv")).items.length, (count) => count === 0);
  });

  await t.step("a ResourceQuota refuses what goes beyond it", async () => {
    await apply(plane, objects.namespace("quota"), objects.quota("one-pod", "quota"));
    await waitFor(
      "the quota to be counted",
      async () => (await get(plane, "quota", "one-pod", "-n", "quota")).status?.hard,
    );
    await apply(plane, objects.pod("first", { image: "web:1" }, {}, "quota"));
    const second = await refused(plane, objects.pod("second", { image: "web:1" }, {}, "quota"));
    assert.match(second, /exceeded quota: one-pod/);
  });

  await t.step("a LimitRange fills in what a container does not ask for", async () => {
    await apply(plane, objects.namespace("limits"), objects.limitRange("defaults", "limits"));
    await apply(plane, objects.pod("modest", { image: "web:1" }, {}, "limits"));
    const { spec } = await get(plane, "pod", "modest", "-n", "limits");
    assert.deepEqual(spec.containers[0].resources.requests, { cpu: "50m", memory: "64Mi" });
  });

  await t.step("PodSecurity refuses a privileged pod where the namespace says so", async () => {
    await apply(plane, objects.namespace("secure", { "pod-security.kubernetes.io/enforce": "baseline" }));
    const privileged = { image: "web:1", securityContext: { privileged: true } };
    assert.match(
      await refused(plane, objects.pod("root", privileged, {}, "secure")),
      /violates PodSecurity "baseline:latest"/,
    );
  });

  await t.step("RBAC denies a service account what nobody gave it, and the audit log has it", async () => {
    await apply(plane, objects.namespace("tenant"), {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "ci", namespace: "tenant" },
    });
    const kubeconfigPath = await plane.createServiceAccountKubeconfig("tenant", "ci");
    const read = () => plane.kubectl(["get", "pods", "-n", "tenant"], { kubeconfigPath, check: false });
    assert.match((await read()).stderr, /forbidden/i);
    await plane.kubectl([
      "create",
      "rolebinding",
      "ci",
      "-n",
      "tenant",
      "--clusterrole=view",
      "--serviceaccount=tenant:ci",
    ]);
    await waitUntil("the role to work", read, (result) => result.code === 0);
    const codes = (await auditEvents(plane))
      .filter((it) => it.user.username === "system:serviceaccount:tenant:ci" && it.objectRef?.resource === "pods")
      .map((it) => it.responseStatus.code);
    assert.ok(codes.includes(403) && codes.includes(200), `Unexpected codes: ${codes}`);
  });

  await t.step("the control plane goes on after its API server was restarted or killed", async () => {
    await plane.restartApiServer();
    await plane.killApiServer();
    assert.notEqual((await plane.kubectl(["get", "--raw", "/readyz"], { check: false })).code, 0);
    await plane.startApiServer();
    await apply(plane, objects.deployment("afterwards", "shop/web:1"));
    await plane.kubectl(["rollout", "status", "deployment/afterwards", "--timeout=180s"]);
  });

  await t.step("the control plane goes on with all its objects after etcd was restarted or killed", async () => {
    await plane.restartEtcd();
    await plane.killEtcd();
    const readiness = (): Promise<{ code: number }> => plane.kubectl(["get", "--raw", "/readyz"], { check: false });
    await waitUntil("the API server to miss it", async () => (await readiness()).code, (code) => code !== 0);
    await plane.startEtcd();
    assert.equal((await get(plane, "deployment", "afterwards")).spec.replicas, 2);
    await apply(plane, objects.deployment("later", "shop/web:1"));
    await plane.kubectl(["rollout", "status", "deployment/later", "--timeout=180s"]);
  });

  await t.step("a second node takes pods as well", async () => {
    await plane.addNode("extra");
    await apply(plane, objects.pod("elsewhere", { image: "web:1" }, { nodeName: "extra" }));
    await plane.kubectl(["wait", "--for=condition=Ready", "pod/elsewhere", "--timeout=120s"]);
  });

  await t.step("another process can use it as its existing cluster, and leaves it alone", async () => {
    await withEnvironment({ USE_EXISTING_CLUSTER: "true", KUBECONFIG: plane.kubeconfigPath }, async () => {
      await using same = await startControlPlane({ progress: () => {} });
      assert.equal(same.server, plane.server);
      assert.equal(same.caPem, plane.caPem);
      assert.equal(same.auditLogPath, undefined);
      await assert.rejects(same.restartApiServer(), /Cannot restart the API server of an existing cluster/);
      await assert.rejects(same.killEtcd(), /Cannot kill etcd of an existing cluster/);
    });
    await plane.kubectl(["get", "--raw", "/readyz"]);
  });

  await t.step("stop leaves no process and no folder, and may be called twice", async () => {
    assert.ok((await processesOf(plane.folder)).length >= 6);
    await plane.stop();
    await plane.stop();
    assert.deepEqual(await processesOf(plane.folder), []);
    assert.equal(await exists(plane.folder), false);
  });
});

const images: Record<string, [string, (status: Anything) => boolean]> = {
  "an image that crashes ends in CrashLoopBackOff with a rising restart count": ["shop/web:crash", (status) => {
    const container = status.containerStatuses?.[0];
    return container?.state.waiting?.reason === "CrashLoopBackOff" && container.restartCount >= 2 &&
      container.lastState.terminated.exitCode === 1 && container.lastState.terminated.reason === "Error" &&
      !isReady(status);
  }],
  "an image that is missing ends in ImagePullBackOff": ["shop/missing:1", (status) => {
    const waiting = status.containerStatuses?.[0].state.waiting;
    return status.phase === "Pending" && waiting?.reason === "ImagePullBackOff" &&
      waiting.message.startsWith('Back-off pulling image "shop/missing:1"');
  }],
  "a slow image becomes ready after a while": ["shop/web:slow-2s", isReady],
  "an unready image runs without being ready": [
    "shop/unready:1",
    (status) => status.phase === "Running" && !isReady(status),
  ],
};

const finishingImages: Record<string, [string, (status: Anything) => boolean]> = {
  "a pod that is not restarted succeeds": ["busybox:1.37", (status) => hasEnded(status, "Succeeded", 0)],
  "a pod that is not restarted and crashes fails": ["busybox:crash", (status) => hasEnded(status, "Failed", 3)],
  "a pod that is not restarted and slow succeeds later": [
    "busybox:slow-1s",
    (status) => hasEnded(status, "Succeeded", 0),
  ],
};

const logs: Record<string, [Anything, string]> = {
  "a container logs a greeting": [{}, "hello from a simulated container\nimage busybox:1.37\n"],
  "echo logs its arguments": [{ command: ["echo"], args: ["a", "b"] }, "a b\n"],
  "printf logs its arguments as they are": [{ command: ["printf", "%s\\n", '`$(x)` "é" 🎉'] }, '`$(x)` "é" 🎉\n'],
  "references to known variables are expanded as a kubelet does": [
    { command: ["/bin/echo", "$(KUBERNETES_SERVICE_PORT) $$(KUBERNETES_SERVICE_PORT) $(OTHER)"] },
    "443 $(KUBERNETES_SERVICE_PORT) $(OTHER)\n",
  ],
  "a shell logs the variable that it prints": [
    { command: ["sh", "-c", 'printf "%s\\n" "$TEXT"'], env: [{ name: "TEXT", value: "it's\n`id`" }] },
    "it's\n`id`\n",
  ],
  "a variable sets the log": [{ env: [{ name: "SIMULATED_LOG", value: "ERROR: relation" }] }, "ERROR: relation"],
};

function isReady(status: Anything): boolean {
  return status.conditions?.some((it: Anything) => it.type === "Ready" && it.status === "True") ?? false;
}

function hasEnded(status: Anything, phase: string, exitCode: number): boolean {
  return status.phase === phase && status.containerStatuses[0].state.terminated.exitCode === exitCode &&
    !isReady(status);
}

async function apply(plane: ControlPlane, ...items: Anything[]): Promise<void> {
  // Pods need their namespace's service account, which its controller makes a moment later.
  const namespaces = [...new Set(items.map((item) => item.metadata.namespace ?? "default"))];
  const own = items.filter((item) => item.kind === "Namespace");
  const list = (of: Anything[]) => JSON.stringify({ apiVersion: "v1", kind: "List", items: of });
  if (own.length) await plane.kubectl(["apply", "-f", "-"], { stdin: list(own) });
  for (const name of namespaces) {
    await waitFor("a service account", () => get(plane, "serviceaccount", "default", "-n", name));
  }
  await plane.kubectl(["apply", "-f", "-"], { stdin: list(items) });
}

async function refused(plane: ControlPlane, item: Anything): Promise<string> {
  await waitFor("a service account", () => get(plane, "serviceaccount", "default", "-n", item.metadata.namespace));
  const result = await plane.kubectl(["create", "-f", "-"], { stdin: JSON.stringify(item), check: false });
  assert.equal(result.code, 1, result.stdout);
  return result.stderr;
}

async function get(plane: ControlPlane, ...args: string[]): Promise<Anything> {
  return JSON.parse((await plane.kubectl(["get", "-o", "json", ...args])).stdout);
}

async function log(
  plane: ControlPlane,
  name: string,
  ...args: string[]
): Promise<Awaited<ReturnType<ControlPlane["kubectl"]>>> {
  return await plane.kubectl(["logs", name, ...args], { check: false });
}

async function auditEvents(plane: ControlPlane): Promise<Anything[]> {
  return (await Deno.readTextFile(plane.auditLogPath!)).trim().split("\n").map((line) => JSON.parse(line));
}
