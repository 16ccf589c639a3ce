/**
 * A kind for tests of the runtime: a Gadget makes a namespace with settings, a Service and a Deployment, and is Ready
 * when the Deployment says so.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { CONFIG_MAP, DEPLOYMENT, NAMESPACE, SECRET, SERVICE } from "../api/resources.ts";
import { withoutContent } from "./copies.ts";
import type { ControllerDefinition, GatherDeps, Plan } from "./definition.ts";
import { GADGET } from "./fake_owner.ts";
import { annotatedOwner } from "./ownership.ts";

/** What a decision about a Gadget rests on. */
export interface GadgetSeen {
  owner: KubeObject;
  app?: KubeObject;
}

/** `gadget-<name>` */
export function targetOf(owner: KubeObject): string {
  return `gadget-${owner.metadata.name}`;
}

/** The children of a Gadget; `spec.text` changes one of them, `spec.extra` adds some. */
export function gadgetChildren(owner: KubeObject): KubeObject[] {
  const namespace = targetOf(owner);
  const { text = "1", extra = [] } = owner.spec ?? {};
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace }, data: { text } },
    { apiVersion: "v1", kind: "Service", metadata: { name: "svc", namespace }, spec: { ports: [{ port: 80 }] } },
    { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "app", namespace }, spec: { replicas: 1 } },
    ...extra.map((name: string) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace },
      data: { text },
    })),
  ];
}

/** The definition; what is given replaces a part of it. */
export function gadgetKind(parts: Partial<ControllerDefinition<GadgetSeen>> = {}): ControllerDefinition {
  const kind: ControllerDefinition<GadgetSeen> = {
    kind: GADGET,
    owns: [
      {
        resource: NAMESPACE,
        scope: "all",
        owners: ({ object }) => [annotatedOwner(object, GADGET)].filter((key) => key !== undefined),
      },
      ...[CONFIG_MAP, SERVICE, DEPLOYMENT].map((resource) => ({ resource, scope: "children" as const })),
      { resource: SECRET, scope: "children", shape: withoutContent },
    ],
    watches: [],
    permissions: [],
    gather,
    decide,
    roots: (owner) => [{ resource: NAMESPACE, name: targetOf(owner) }],
    ...parts,
  };
  return kind as ControllerDefinition;
}

function gather(owner: KubeObject, { cache }: GatherDeps): GadgetSeen {
  const app = cache(DEPLOYMENT, "children").ownedBy(owner.metadata.uid!).find(({ metadata }) =>
    metadata.name === "app"
  );
  return { owner, app };
}

function decide({ owner, app }: GadgetSeen): Plan {
  const desired = gadgetChildren(owner);
  const fields = { text: owner.spec?.text ?? "1" };
  if (app?.status?.isReady) {
    const outcome = { outcome: "Ready", reason: "Ready" };
    return {
      desired,
      report: { phase: "Ready", state: "ready", reason: "Ready", message: "It serves", fields, outcome },
    };
  }
  const message = "Waiting for the Deployment";
  return { desired, report: { phase: "Pending", state: "reconciling", reason: "RollingOut", message, fields } };
}
