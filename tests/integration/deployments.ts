/**
 * A namespace of an environment and an operator that deploys into it, for tests against a real API server: the operator
 * has a ServiceAccount of its own with what deploying needs and nothing more.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject, Resource } from "../../lib/api/object.ts";
import { deploy, type DeploymentReport, type DeploymentRequest } from "../../lib/deploy/deployment.ts";
import { Observer } from "../../lib/deploy/observer.ts";
import { Answers } from "../../lib/deploy/set_changes.ts";
import { DEPLOYED_NEEDS, DEPLOYED_PERMISSIONS } from "../../lib/deploy/watched_kinds.ts";
import { KubeClient } from "../../lib/kube/client.ts";
import { kubeconfigCredentials } from "../../lib/kube/credentials.ts";
import { Discovery } from "../../lib/kube/discovery.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { Stalled, Waiting } from "../../lib/runtime/errors.ts";
import { InformerSet } from "../../lib/runtime/informer_set.ts";
import { silentLogger } from "../../lib/runtime/log.ts";
import { LogReader } from "../../lib/workload/logs.ts";
import { mergedRules } from "../../cli/install/rbac.ts";
import type { ControlPlane } from "../control_plane/control_plane.ts";
import { waitUntil } from "../wait.ts";

/** ServiceAccount that deploys, in every environment. */
export const ACCOUNT = "maquette-deployer";
/** A custom resource that namespace admins may have. */
export const WIDGET: Resource = {
  group: "example.com",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  namespaced: true,
};
/** As the audit log has the operator. */
export const OPERATOR = "system:serviceaccount:maquette-system:maquette";

const RBAC = "rbac.authorization.k8s.io/v1";
const API_GROUP = "rbac.authorization.k8s.io";

function widgetDefinition(): KubeObject {
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const schema = { openAPIV3Schema: { type: "object", properties: { spec: anything, status: anything } } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      versions: [{ name: "v1", served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
}

function binding(kind: string, metadata: KubeObject["metadata"], role: string, subject: [string, string]): KubeObject {
  const [namespace, name] = subject;
  return {
    apiVersion: RBAC,
    kind,
    metadata,
    roleRef: { apiGroup: API_GROUP, kind: "ClusterRole", name: role },
    subjects: [{ kind: "ServiceAccount", namespace, name }],
  };
}

/** What an installation would hold: permissions by name, and no wildcard. */
function operatorObjects(): KubeObject[] {
  const impersonate = {
    apiGroups: [""],
    resources: ["serviceaccounts"],
    resourceNames: [ACCOUNT],
    verbs: ["impersonate"],
  };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "maquette-system" } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "maquette", namespace: "maquette-system" } },
    {
      apiVersion: RBAC,
      kind: "ClusterRole",
      metadata: { name: "maquette" },
      rules: [...mergedRules(DEPLOYED_PERMISSIONS), impersonate],
    },
    binding("ClusterRoleBinding", { name: "maquette" }, "maquette", ["maquette-system", "maquette"]),
    {
      apiVersion: RBAC,
      kind: "ClusterRole",
      metadata: { name: "widgets", labels: { "rbac.authorization.k8s.io/aggregate-to-admin": "true" } },
      rules: [{
        apiGroups: ["example.com"],
        resources: ["widgets"],
        verbs: ["get", "list", "watch", "create", "update", "patch", "delete"],
      }],
    },
  ];
}

/** The namespace and the account that deploys into it, as the environment's controller will make them. */
export function environmentObjects(namespace: string): KubeObject[] {
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: ACCOUNT, namespace } },
    binding("RoleBinding", { name: "deployer", namespace }, "admin", [namespace, ACCOUNT]),
  ];
}

/** Makes objects as the administrator. */
export async function applied(plane: ControlPlane, objects: readonly KubeObject[]): Promise<void> {
  const stdin = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  await plane.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { stdin });
}

/** See the module. */
export class Deployments implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly #kube: KubeClient;
  #informers!: InformerSet;
  #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #deps!: Parameters<typeof deploy>[1];
  #status = new Map<string, Pick<DeploymentRequest, "inventory" | "deployed">>();

  private constructor(plane: ControlPlane, kube: KubeClient) {
    this.plane = plane;
    this.#kube = kube;
  }

  static async install(plane: ControlPlane): Promise<Deployments> {
    await applied(plane, [widgetDefinition(), ...operatorObjects()]);
    await plane.kubectl(["wait", "--for=condition=Established", "--timeout=120s", "crd/widgets.example.com"]);
    const kubeconfig = await plane.createServiceAccountKubeconfig("maquette-system", "maquette");
    return await new Deployments(plane, new KubeClient(await kubeconfigCredentials(kubeconfig))).restart();
  }

  /** The operator's client, which is nobody else. */
  get kube(): KubeClient {
    return this.#kube;
  }

  /** A new process: it knows what the cluster tells, and what the status holds. */
  async restart(): Promise<this> {
    this.#stop.abort();
    await this.#running;
    this.#stop = new AbortController();
    const clock = systemClock;
    this.#informers = new InformerSet({ kube: this.#kube, clock, random: Math.random, log: silentLogger });
    const watched = DEPLOYED_NEEDS.map((need) => this.#informers.need(need));
    this.#running = Promise.all(watched.map((informer) => informer.run(this.#stop.signal)));
    await Promise.all(watched.map((informer) => informer.whenSynced));
    const now = (): number => clock.now();
    const discovery = new Discovery({ kube: this.#kube, now });
    const observer = new Observer({ watched, now });
    this.#deps = { kube: this.#kube, discovery, observer, answers: new Answers(), logs: new LogReader(), now };
    return this;
  }

  /** One look. */
  async look(
    namespace: string,
    objects: readonly KubeObject[],
    more: Partial<DeploymentRequest> = {},
  ): Promise<DeploymentReport> {
    const owner = environment(namespace);
    const status = this.#status.get(namespace) ?? { inventory: [] };
    const target = { owner, namespace, account: ACCOUNT, revision: "r1" };
    const report = await deploy(
      { ...target, hooks: [], objects: structuredClone(objects), ...status, ...more },
      this.#deps,
    );
    this.#status.set(namespace, { inventory: report.inventory, deployed: report.deployed });
    return report;
  }

  /** Looks until it is ready; what is waited for is no error. */
  async untilReady(
    namespace: string,
    objects: readonly KubeObject[],
    more: Partial<DeploymentRequest> = {},
  ): Promise<DeploymentReport> {
    const look = async (): Promise<DeploymentReport | string> => {
      try {
        return await this.look(namespace, objects, more);
      } catch (error) {
        if (error instanceof Waiting) return error.message;
        throw error;
      }
    };
    const isReady = (seen: DeploymentReport | string): boolean => typeof seen === "object" && seen.state === "ready";
    return await waitUntil(`deployment in "${namespace}"`, look, isReady, 60_000) as DeploymentReport;
  }

  /** An object as it is, or nothing. */
  async find(namespace: string, kind: string, name: string): Promise<KubeObject | undefined> {
    const { stdout } = await this.plane.kubectl([
      "get",
      kind,
      name,
      "-n",
      namespace,
      "-o",
      "json",
      "--ignore-not-found",
    ]);
    return stdout ? JSON.parse(stdout) : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#kube.close();
  }
}

/** The owner; deploying needs no more of it than its name. */
export function environment(namespace: string): KubeObject {
  return {
    apiVersion: "catalyst.catalyst.dev/v1alpha1",
    kind: "Environment",
    metadata: { name: namespace, namespace: "teams", uid: `uid-of-${namespace}` },
  };
}

/** A look that must end with something that people must act on. */
export async function refused(work: Promise<unknown>, reason: string, ...patterns: RegExp[]): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof Stalled, String(error));
    assert.equal(error.reason, reason, error.message);
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}
