/**
 * An owner with children that are acted on as the runtime does it, in front of a scripted API server, for tests.
 *
 * @module
 */
import type { KubeObject, Resource } from "../api/object.ts";
import { CLAIM, CONFIG_MAP, DEPLOYMENT, JOB, LEASE, NAMESPACE, POD, SECRET, SERVICE } from "../api/resources.ts";
import { act } from "./act.ts";
import { changesFor } from "./changes.ts";
import { withoutContent } from "./copies.ts";
import { FakeCluster } from "./fake_cluster.ts";

const OWNED = [NAMESPACE, SECRET, CONFIG_MAP, CLAIM, SERVICE, DEPLOYMENT, POD, JOB, LEASE];
/** The owner's namespace for its children. */
export const TARGET = "gadget-g";

/** A child that is wanted. */
export function wish(
  resource: Resource,
  name: string,
  fields: Partial<KubeObject> = {},
  namespace = TARGET,
): KubeObject {
  const apiVersion = resource.group ? `${resource.group}/${resource.version}` : resource.version;
  const metadata = resource.namespaced ? { name, namespace } : { name };
  return { apiVersion, kind: resource.kind, metadata, ...fields };
}

/** One child of each wave and then some. */
export const WISHES = {
  namespace: wish(NAMESPACE, TARGET),
  settings: wish(CONFIG_MAP, "settings", { data: { a: "1" } }),
  service: wish(SERVICE, "svc", { spec: { ports: [{ port: 80 }] } }),
  app: wish(DEPLOYMENT, "app", { spec: { replicas: 1 } }),
};
export const ALL = [WISHES.app, WISHES.service, WISHES.settings, WISHES.namespace];

/** A cluster with an owner, whose wishes are acted on as the runtime does it. */
export class FakeActor extends FakeCluster {
  readonly gadget: KubeObject;

  constructor() {
    super();
    this.gadget = this.owner();
  }

  /** With a watch on every kind of child. */
  override async start(): Promise<this> {
    return await super.start(
      { resource: NAMESPACE, scope: "all" },
      { resource: SECRET, scope: "children", shape: withoutContent },
      ...OWNED.slice(2).map((resource) => ({ resource, scope: "children" as const })),
    );
  }

  /** Makes the cluster what is wanted. */
  async act(...desired: KubeObject[]): Promise<void> {
    const informer = (kind: string): ReturnType<typeof this.informers.get> => {
      const resource = OWNED.find((candidate) => candidate.kind === kind)!;
      return this.informers.get({ resource, scope: resource === NAMESPACE ? "all" : "children" });
    };
    const owned = OWNED.flatMap(({ kind }) => informer(kind).cache.ownedBy(this.gadget.metadata.uid!));
    const changes = changesFor(this.gadget, desired, owned);
    await act(this.gadget, changes, { kube: this.kube, children: ({ kind }) => informer(kind) });
  }

  /** What the server has of that kind and name. */
  find(child: KubeObject): KubeObject | undefined {
    const resource = OWNED.find(({ kind }) => kind === child.kind)!;
    const { namespace, name } = child.metadata;
    return this.server.store.find(resource, namespace ? `${namespace}/${name}` : name);
  }
}

/** The same by name, made by somebody else. */
export function foreign(child: KubeObject, fields: Partial<KubeObject> = {}): KubeObject {
  return { ...child, metadata: { ...child.metadata, labels: { team: "x" } }, ...fields };
}
