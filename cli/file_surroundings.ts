/**
 * What the objects of one file are to each other, for `check` and `plan`, which ask no cluster.
 *
 * @module
 */
import { ENVIRONMENT, type Environment } from "../lib/api/environment.ts";
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
    // A file says of no namespace who made it.
    return tenantsOf({ projects: this.projects, environments: this.#environments, namespaces: new Cache() });
  }

  /** An object that admission would let in: those after it in the file meet it. */
  admit({ kind, object }: FileObject): void {
    const key = keyOf(object);
    const owner = { kind: object.kind, key, uid: key };
    if (kind === ENVIRONMENT) {
      this.claimed.set(environmentNamespace(object as Environment), owner);
      this.#environments.put(placed(object));
    }
    const host = kind === PORTFOLIO_APP ? appHostKey(object as PortfolioApp, this.#domain) : undefined;
    if (host !== undefined) this.claimed.set(host, owner);
    if (kind === PREVIEW_ENVIRONMENT) {
      this.claimed.set(targetNamespace(object.spec), owner).set(hostname(object.spec, ""), owner);
    }
  }
}

function placed(object: KubeObject): KubeObject {
  const { namespace = "default", resourceVersion = "1" } = object.metadata;
  return { ...object, metadata: { ...object.metadata, namespace, resourceVersion } };
}
