import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { type KStatus, kstatusOf } from "./kstatus.ts";

const NOW = Date.parse("2026-01-01T01:00:00Z");

type Json = Record<string, unknown>;

/** An object as a real API server shows it: only what the rules read, and what they might trip over. */
function object(
  name: string,
  { metadata = {}, spec, status }: { metadata?: Json; spec?: Json; status?: Json },
): KubeObject {
  const [apiVersion = "", kind = ""] = name.split(" ");
  return { apiVersion, kind, metadata: { name: "shop", namespace: "pr-7", ...metadata }, spec, status } as KubeObject;
}

function widget(conditions: Json[], rest: Json = {}, metadata: Json = { generation: 2 }): KubeObject {
  return object("example.com/v1 Widget", { metadata, status: { conditions, ...rest } });
}

const UNSEEN = "The last change is not looked at yet";

const CASES: Record<string, [object: KubeObject, state: KStatus["state"], message: string]> = {
  "an Ingress without an address": [
    object("networking.k8s.io/v1 Ingress", { status: { loadBalancer: {} } }),
    "current",
    "",
  ],
  "an autoscaler without metrics": [
    object("autoscaling/v2 HorizontalPodAutoscaler", {
      status: { conditions: [{ type: "ScalingActive", status: "False", reason: "FailedGetResourceMetric" }] },
    }),
    "current",
    "",
  ],
  "a disruption budget that nobody has looked at since it changed": [
    object("policy/v1 PodDisruptionBudget", { metadata: { generation: 2 }, status: { observedGeneration: 1 } }),
    "inProgress",
    UNSEEN,
  ],
  "a kind of nobody's without a status": [object("example.com/v1 Widget", {}), "current", ""],
  "a kind of nobody's that is Ready": [widget([{ type: "Ready", status: "True" }]), "current", ""],
  "a kind of nobody's that is not Ready": [
    widget([{ type: "Available", status: "True" }, { type: "Ready", status: "False", message: "no host" }]),
    "inProgress",
    "no host",
  ],
  "a kind of nobody's whose Ready is unknown": [
    widget([{ type: "Ready", status: "Unknown" }]),
    "inProgress",
    "Ready is Unknown",
  ],
  "a kind of nobody's whose Ready is about an older spec": [
    widget([{ type: "Ready", status: "True", observedGeneration: 1 }]),
    "inProgress",
    UNSEEN,
  ],
  "a kind of nobody's that is not Available": [
    widget([{ type: "Available", status: "False", reason: "FailedDiscoveryCheck" }]),
    "inProgress",
    "FailedDiscoveryCheck",
  ],
  "a kind of nobody's that is Reconciling": [
    widget([{ type: "Ready", status: "True" }, { type: "Reconciling", status: "True", message: "rolls" }]),
    "inProgress",
    "rolls",
  ],
  "a kind of nobody's that is Stalled": [
    widget([{ type: "Stalled", status: "True", reason: "NoQuota" }]),
    "failed",
    "NoQuota",
  ],
  "a kind of nobody's whose conditions are something else": [
    object("example.com/v1 Widget", { status: { conditions: "sunny" } }),
    "current",
    "",
  ],
  "a kind of nobody's whose generation is not looked at": [
    widget([{ type: "Ready", status: "True" }], { observedGeneration: 1 }),
    "inProgress",
    UNSEEN,
  ],
};

for (const [name, [given, state, message]] of Object.entries(CASES)) {
  Deno.test(`kstatus: ${name} is ${state}`, () => assert.deepEqual(kstatusOf(given, NOW), { state, message }));
}
