/**
 * Deployments onto a scripted API server, for tests: usual kinds are watched, Widgets are not.
 *
 * @module
 */
import type { KubeObject, Resource } from "../api/object.ts";
import { CONFIG_MAP, DEPLOYMENT, JOB, POD, SECRET, SERVICE } from "../api/resources.ts";
import { KubeClient } from "../kube/client.ts";
import { type KindName, type ServedKind, UnknownKind } from "../kube/discovery.ts";
import { SCRIPTED_CREDENTIALS, ScriptedServer } from "../kube/scripted_server.ts";
import { withoutContent } from "../runtime/copies.ts";
import { FakeClock, settle } from "../runtime/fake_clock.ts";
import { gadget } from "../runtime/fake_owner.ts";
import { Informer } from "../runtime/informer.ts";
import { silentLogger } from "../runtime/log.ts";
import { LogReader } from "../workload/logs.ts";
import { deploy, type DeployDeps, type DeploymentReport, type DeploymentRequest } from "./deployment.ts";
import { Observer } from "./observer.ts";
import { Answers } from "./set_changes.ts";

/** A custom resource. */
export const WIDGET: Resource = Object.freeze({
  group: "example.com",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  namespaced: true,
});
/** A kind without a namespace. */
export const CLUSTER_ROLE: Resource = Object.freeze({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  namespaced: false,
});

const WATCHED = [CONFIG_MAP, SECRET, SERVICE, DEPLOYMENT, JOB];
const NAMESPACE = "shop-pr-7";
const NAMESPACES = { group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false };

/** What the cluster would say of a kind. */
export function served(resource: Resource): ServedKind {
  return { resource, verbs: ["get", "list", "patch", "delete"], subresources: resource === WIDGET ? ["status"] : [] };
}

/** Knows the kinds of {@link FakeDeployment}. */
export class FakeDiscovery {
  readonly #kinds = [...WATCHED, WIDGET, CLUSTER_ROLE].map(served);

  find({ apiVersion, kind }: KindName): Promise<ServedKind> {
    const group = apiVersion.includes("/") ? apiVersion.split("/")[0]! : "";
    return this.findPreferred(group, kind);
  }

  findPreferred(group: string, kind: string): Promise<ServedKind> {
    const found = this.#kinds.find(({ resource }) => resource.group === group && resource.kind === kind);
    if (found) return Promise.resolve(found);
    return Promise.reject(new UnknownKind(`The cluster does not know kind "${kind}"`, group === "away.io"));
  }
}

/** Objects as a chart renders them. */
export const RENDERED = {
  config: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data: { greeting: "hello" } },
  service: {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "shop", labels: { "app.kubernetes.io/instance": "shop" } },
    spec: { selector: { app: "shop" }, ports: [{ port: 80 }] },
  },
  app: {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "shop" },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "shop" } },
      template: { metadata: { labels: { app: "shop" } }, spec: { containers: [{ name: "app", image: "shop:v1" }] } },
    },
  },
  widget: { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w" }, spec: { size: 1 } },
  migration: {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "migrate" },
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "m", image: "shop:v1" }] } } },
  },
} satisfies Record<string, KubeObject>;

/** See the module. Stops at the end of its block. */
export class FakeDeployment implements AsyncDisposable {
  readonly owner = gadget({ name: "pr-7", uid: "uid-env" });
  readonly namespace = NAMESPACE;
  readonly clock = new FakeClock();
  readonly server = new ScriptedServer({
    resources: [NAMESPACES, ...WATCHED, POD, WIDGET, CLUSTER_ROLE],
    clock: this.clock,
  });
  readonly #kube = new KubeClient(SCRIPTED_CREDENTIALS, { fetch: this.server.fetch });
  #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #observer!: Observer;
  #answers = new Answers();
  #logs = new LogReader();
  /** What the owner's status would hold. */
  readonly status: Pick<DeploymentRequest, "inventory" | "deployed"> = { inventory: [] };

  async start(): Promise<this> {
    this.server.store.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
    return await this.restart();
  }

  /** A new process: what it knows is what the cluster and the status tell. */
  async restart(): Promise<this> {
    this.#stop.abort();
    await this.#running;
    this.#stop = new AbortController();
    const deps = { kube: this.#kube, clock: this.clock, random: () => 0.5, log: silentLogger };
    const watched = WATCHED.map((resource) => {
      const shape = resource === SECRET || resource === CONFIG_MAP ? withoutContent : undefined;
      return new Informer({ resource, shape }, deps);
    });
    this.#running = Promise.all(watched.map((informer) => informer.run(this.#stop.signal)));
    await settle();
    this.#observer = new Observer({ watched, now: () => this.clock.now() });
    this.#answers = new Answers();
    return this;
  }

  /** One look, as a reconcile would have it; what it says is written down. */
  async look(objects: readonly KubeObject[], more: Partial<DeploymentRequest> = {}): Promise<DeploymentReport> {
    const target = { owner: this.owner, namespace: NAMESPACE, account: "deployer" };
    const rendered = { revision: "r1", objects: structuredClone(objects), hooks: [] };
    try {
      const report = await deploy({ ...target, ...rendered, ...this.status, ...more }, this.#deps());
      Object.assign(this.status, { inventory: report.inventory, deployed: report.deployed });
      return report;
    } finally {
      await settle();
    }
  }

  #deps(): DeployDeps {
    const now = (): number => this.clock.now();
    const discovery = new FakeDiscovery();
    return { kube: this.#kube, discovery, observer: this.#observer, answers: this.#answers, logs: this.#logs, now };
  }

  /** Requests beyond lists and watches, as `verb resource name`. */
  get calls(): string[] {
    return this.server.requests.filter(({ verb }) => verb !== "list" && verb !== "watch")
      .map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);
  }

  /** What is there. */
  find(resource: Resource, name: string): KubeObject | undefined {
    return this.server.store.list(resource).find(({ metadata }) => metadata.name === name);
  }

  /** Somebody deletes. */
  async remove(resource: Resource, name: string): Promise<void> {
    this.server.store.remove(resource, `${NAMESPACE}/${name}`);
    await settle();
  }

  /** A controller, or somebody, writes. */
  async write(resource: Resource, name: string, change: (object: KubeObject) => void): Promise<void> {
    const author = { manager: "somebody", operation: "Update" as const };
    this.server.store.edit(resource, `${NAMESPACE}/${name}`, change, author);
    await settle();
  }

  /** The Deployment controller has rolled it out. */
  async rollOut(name = "shop"): Promise<void> {
    const all = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
    const conditions = [{ type: "Available", status: "True" }];
    await this.write(DEPLOYMENT, name, (object) => {
      object.status = { observedGeneration: object.metadata.generation, ...all, conditions };
    });
  }

  /** The Job controller has ended it. */
  async endJob(name: string, type: "Complete" | "Failed"): Promise<void> {
    await this.write(JOB, name, (object) => {
      const why = type === "Failed" ? { reason: "BackoffLimitExceeded", message: "Job has reached its limit" } : {};
      object.status = { conditions: [{ type, status: "True", lastTransitionTime: "2026-01-01T00:00:05Z", ...why }] };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#kube.close();
  }
}
