/**
 * What the objects of one file are to each other, for `check` and `plan`, which ask no cluster.
 *
 * @module
 */
import { ENVIRONMENT, type Environment } from "../lib/api/environment.ts";
import { LABEL_OWNER_UID } from "../lib/api/names.ts";
import { keyOf, type KubeObject } from "../lib/api/object.ts";
import { PORTFOLIO_APP, type PortfolioApp } from "../lib/api/portfolio_app.ts";
import { PREVIEW_ENVIRONMENT } from "../lib/api/preview_environment.ts";
import { PROJECT } from "../lib/api/project.ts";
import { schemaProblems, withDefaults } from "../lib/api/validate.ts";
import { BY_PROJECT, environmentNamespace, projectKeys } from "../lib/environment_names.ts";
import { appHostKey } from "../lib/portfolio_names.ts";
import { hostname, targetNamespace } from "../lib/preview_names.ts";
import { Cache } from "../lib/runtime/cache.ts";
import type { NamespaceOwner, Tenants } from "../webhook/rules/mod.ts";
import type { FileObject } from "./files.ts";
import { tenantsOf } from "./tenants.ts";

/** See the module. */
export class FileSurroundings {
  /** Namespaces and hosts that objects of the file are for. */
  readonly claimed = new Map<string, NamespaceOwner>();
  /** Projects of the file, wherever they stand in it. */
  readonly projects = new Cache();
  readonly #environments = new Cache();
  readonly #domain: string;
  /** Those that would be made for objects of the file; of others it does not say who made them. */
  readonly #namespaces = new Cache();

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
    return tenantsOf({ projects: this.projects, environments: this.#environments, namespaces: this.#namespaces });
  }

  /** An object that admission would let in: those after it in the file meet it. */
  admit({ kind, object }: FileObject): void {
    const key = keyOf(object);
    const owner = { kind: object.kind, key, uid: key };
    if (kind === ENVIRONMENT) {
      this.#claim(environmentNamespace(object as Environment), owner);
      this.#environments.put(placed(object));
    }
    const host = kind === PORTFOLIO_APP ? appHostKey(object as PortfolioApp, this.#domain) : undefined;
    if (host !== undefined) this.claimed.set(host, owner);
    if (kind === PREVIEW_ENVIRONMENT) {
      this.#claim(targetNamespace(object.spec), owner);
      this.claimed.set(hostname(object.spec, ""), owner);
    }
  }

  #claim(namespace: string, owner: NamespaceOwner): void {
    this.claimed.set(namespace, owner);
    const metadata = { name: namespace, labels: { [LABEL_OWNER_UID]: owner.uid }, resourceVersion: "1" };
    this.#namespaces.put({ apiVersion: "v1", kind: "Namespace", metadata });
  }
}

function placed(object: KubeObject): KubeObject {
  const { namespace = "default", resourceVersion = "1" } = object.metadata;
  return { ...object, metadata: { ...object.metadata, namespace, resourceVersion } };
}
