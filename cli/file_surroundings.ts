/**
 * What the objects of one file are to each other, for `check` and `plan`, which ask no cluster.
 *
 * @module
 */
import { ENVIRONMENT, type Environment } from "../lib/api/environment.ts";
import { LABEL_OWNER_UID } from "../lib/api/names.ts";
import { keyOf, type KubeObject } from "../lib/api/object.ts";
import { PREVIEW_ENVIRONMENT } from "../lib/api/preview_environment.ts";
import { PROJECT } from "../lib/api/project.ts";
import { schemaProblems, withDefaults } from "../lib/api/validate.ts";
import { BY_PROJECT, environmentNamespace, projectKeys } from "../lib/environment_names.ts";
import { claimedHosts, HOST_KINDS, hostClaim } from "../lib/hosts.ts";
import { targetNamespace } from "../lib/preview_names.ts";
import { Cache } from "../lib/runtime/cache.ts";
import type { NamespaceOwner, Tenants } from "../webhook/rules/mod.ts";
import type { FileObject } from "./files.ts";
import { tenantsOf } from "./tenants.ts";

/** See the module. */
export class FileSurroundings {
  /** Namespaces that objects of the file are for. */
  readonly namespaces = new Map<string, NamespaceOwner>();
  /** Hosts that objects of the file have, or, for Environments, would be given. */
  readonly hosts = new Map<string, NamespaceOwner>();
  /** Projects of the file, wherever they stand in it. */
  readonly projects = new Cache();
  readonly #environments = new Cache();
  readonly #domain: string;
  /** Those that would be made for objects of the file; of others it does not say who made them. */
  readonly #made = new Cache();

  /** @param domain What hosts end with. */
  constructor(objects: readonly FileObject[], domain: string) {
    this.#domain = domain;
    this.#environments.addIndex(BY_PROJECT, (owner) => projectKeys(owner as Environment));
    for (const { kind, object } of objects) {
      // What is broken is refused by itself, and nobody can use it.
      if (kind === PROJECT && schemaProblems(kind, object).length === 0) {
        this.projects.put(placed(withDefaults(kind, object)));
      }
    }
  }

  get tenants(): Tenants {
    return tenantsOf({ projects: this.projects, environments: this.#environments, namespaces: this.#made });
  }

  /** An object that admission would let in: those after it in the file meet it. */
  admit({ kind, object }: FileObject): void {
    const key = keyOf(object);
    const owner = { kind: object.kind, key, uid: key };
    if (kind === ENVIRONMENT) {
      this.#claim(environmentNamespace(object as Environment), owner);
      this.#environments.put(placed(object));
    }
    if (kind === PREVIEW_ENVIRONMENT) this.#claim(targetNamespace(object.spec), owner);
    const hosts = HOST_KINDS.includes(kind.resource) ? claimedHosts(hostClaim(object, this.#domain)) : [];
    const host = hosts.find((each) => !this.hosts.has(each));
    if (host !== undefined) this.hosts.set(host, owner);
  }

  #claim(namespace: string, owner: NamespaceOwner): void {
    this.namespaces.set(namespace, owner);
    const metadata = { name: namespace, labels: { [LABEL_OWNER_UID]: owner.uid }, resourceVersion: "1" };
    this.#made.put({ apiVersion: "v1", kind: "Namespace", metadata });
  }
}

function placed(object: KubeObject): KubeObject {
  const { namespace = "default", resourceVersion = "1" } = object.metadata;
  return { ...object, metadata: { ...object.metadata, namespace, resourceVersion } };
}
