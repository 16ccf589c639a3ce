import assert from "node:assert/strict";
import { fullImage, graceSeconds, podRulesOf, podTemplate, rollingOf } from "./pod.ts";
import { app } from "./test_objects.ts";

const TEMPLATE = "maquette.dev/template";

// deno-lint-ignore no-explicit-any
function podOf(spec: Record<string, unknown>): any {
  return podTemplate(app(spec)).spec;
}

Deno.test("podTemplate() gives no rights, and asks a port where no probes are written", () => {
  const { automountServiceAccountToken, securityContext, containers: [container] } = podOf({ port: 3000 });
  assert.equal(automountServiceAccountToken, false);
  assert.deepEqual(securityContext, { seccompProfile: { type: "RuntimeDefault" } });
  assert.deepEqual(container.securityContext, { allowPrivilegeEscalation: false });
  for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
    assert.deepEqual(container[probe].tcpSocket, { port: 3000 });
  }
});

Deno.test("podTemplate() is what a restricted namespace takes, there and nowhere else", () => {
  const restricted = { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ["ALL"] } };
  for (const [level, context] of Object.entries({ restricted, baseline: { allowPrivilegeEscalation: false } })) {
    const labels = { "pod-security.kubernetes.io/enforce": level };
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "team", labels } };
    const { spec } = podTemplate(app({ storage: { size: "1Gi" } }), podRulesOf(namespace));
    const [container] = spec.containers as Record<string, unknown>[];
    assert.deepEqual(container!.securityContext, context, level);
  }
  assert.deepEqual(podTemplate(app(), podRulesOf(undefined)), podTemplate(app()));
});

Deno.test("podTemplate() asks as it is written, and only what is written", () => {
  const { containers: [container] } = podOf({ probes: { liveness: { path: "/up", port: 9, initialDelaySeconds: 4 } } });
  const { httpGet, initialDelaySeconds } = container.livenessProbe;
  assert.deepEqual([httpGet, initialDelaySeconds], [{ path: "/up", port: 9, scheme: "HTTP" }, 4]);
  assert.equal(container.readinessProbe, undefined);
});

Deno.test("podTemplate() leaves out what the API server drops: an empty value, a delay of 0", () => {
  const { containers: [container] } = podOf({ env: { A: "" }, probes: { liveness: {} } });
  assert.deepEqual(container.env, [{ name: "A" }]);
  assert.ok(!("initialDelaySeconds" in container.livenessProbe));
});

Deno.test("podTemplate() keeps Pods together on a volume of one node, and only there", () => {
  assert.ok(podOf({ storage: { size: "1Gi" } }).affinity);
  assert.equal(podOf({ storage: { size: "1Gi", accessModes: ["ReadWriteMany"] } }).affinity, undefined);
  assert.equal(podOf({}).affinity, undefined);
});

const ROLLS: Record<string, [before: Record<string, unknown>, after: Record<string, unknown>, isRolled: boolean]> = {
  "another text in the configuration": [{ config: { a: "1" } }, { config: { a: "2" } }, true],
  "the same configuration in another order": [{ config: { a: "1", b: "2" } }, { config: { b: "2", a: "1" } }, false],
  "another number of Pods": [{ replicas: 1 }, { replicas: 2 }, false],
  "a larger volume": [{ storage: { size: "1Gi" } }, { storage: { size: "2Gi" } }, false],
  "another host": [{ ingress: { enabled: true } }, { ingress: { enabled: true, host: "a.b" } }, false],
};

for (const [sentence, [before, after, isRolled]] of Object.entries(ROLLS)) {
  Deno.test(`${sentence} ${isRolled ? "rolls" : "does not roll"} the Pods`, () => {
    const [first, second] = [before, after].map((spec) => podTemplate(app(spec)).metadata.labels[TEMPLATE]);
    assert.equal(first !== second, isRolled);
  });
}

Deno.test("fullImage() puts image and version together, and graceSeconds() has a default", () => {
  const owner = app({ image: "shop:v1", version: undefined, shutdown: {} });
  assert.deepEqual([fullImage(owner.spec), fullImage(app().spec), graceSeconds(owner), graceSeconds(app())], [
    "shop:v1",
    "ghcr.io/acme/shop:v1",
    30,
    30,
  ]);
});

Deno.test("rollingOf() makes room for a second Pod, but where a volume is for one Pod alone", () => {
  const modes = (accessModes: string[]): unknown => rollingOf(app({ storage: { size: "1Gi", accessModes } }));
  const surging = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  assert.deepEqual([rollingOf(app()), modes(["ReadWriteOnce"])], [surging, surging]);
  assert.deepEqual(modes(["ReadWriteOncePod"]), { ...surging, rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } });
});

Deno.test("podTemplate() makes no variable of a text that no process can be started with: it is a file", () => {
  const config = { LONG: "x".repeat(200_000), A: "1", B: "2", "1st": "3" };
  const { env, envFrom } = podOf({ config, env: { B: "own" } }).containers[0];
  assert.equal(envFrom, undefined);
  assert.deepEqual(env.map(({ name }: { name: string }) => name), ["A", "B"]);
  assert.deepEqual(env[0].valueFrom, { configMapKeyRef: { name: "shop-config", key: "A" } });
});
