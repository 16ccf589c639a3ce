/**
 * Where the certificates of admission are kept: a Secret shared by all replicas, and the CA in both webhook
 * configurations. Read by watches of exactly these three objects.
 *
 * @module
 */
import type { KubeObject } from "../lib/api/object.ts";
import { MUTATING_WEBHOOKS, SECRET, VALIDATING_WEBHOOKS } from "../lib/api/resources.ts";
import type { KubeClient } from "../lib/kube/client.ts";
import { hasStatus } from "../lib/kube/errors.ts";
import type { JsonPatch } from "../lib/kube/paths.ts";
import { Informer, type InformerDeps } from "../lib/runtime/informer.ts";
import type { CaBundle, CertificateStore, StoredSecret } from "../webhook/certificate_manager.ts";
import type { CertificateData } from "../webhook/certificates.ts";
import { CONFIGURATION_NAME } from "../webhook/configuration.ts";
import { CERTIFICATE_SECRET } from "./install/rbac.ts";

export interface CertificateStoreDeps {
  kube: KubeClient;
  informerDeps: InformerDeps;
  /** The operator's namespace. */
  namespace: string;
}

interface Webhook {
  name: string;
  clientConfig: { caBundle?: string };
}

/** See the module. */
export class ClusterCertificateStore implements CertificateStore {
  readonly #kube: KubeClient;
  readonly #namespace: string;
  readonly #secret: Informer;
  readonly #configurations: readonly Informer[];
  readonly #listeners = new Set<() => void>();

  constructor({ kube, informerDeps, namespace }: CertificateStoreDeps) {
    this.#kube = kube;
    this.#namespace = namespace;
    const one = (name: string): string => `metadata.name=${name}`;
    this.#secret = new Informer({ resource: SECRET, namespace, fieldSelector: one(CERTIFICATE_SECRET) }, informerDeps);
    this.#configurations = [MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS].map((resource) =>
      new Informer({ resource, fieldSelector: one(CONFIGURATION_NAME) }, informerDeps)
    );
    for (const informer of this.informers) informer.subscribe(() => this.#tell());
  }

  /** The watches that this store needs. */
  get informers(): readonly Informer[] {
    return [this.#secret, ...this.#configurations];
  }

  secret(): StoredSecret | undefined {
    const secret = this.#secret.cache.get(`${this.#namespace}/${CERTIFICATE_SECRET}`);
    if (!secret) return undefined;
    return { data: decoded(secret.data ?? {}), resourceVersion: secret.metadata.resourceVersion! };
  }

  async saveSecret(data: CertificateData, resourceVersion: string | undefined): Promise<"saved" | "conflict"> {
    const object: KubeObject = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: CERTIFICATE_SECRET,
        namespace: this.#namespace,
        ...(resourceVersion ? { resourceVersion } : {}),
      },
      type: "kubernetes.io/tls",
      data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, btoa(text)])),
    };
    try {
      const saved = resourceVersion
        ? await this.#kube.replace(object, SECRET, "maquette")
        : await this.#kube.create(object, SECRET, "maquette");
      this.#wrote(this.#secret, saved);
      return "saved";
    } catch (error) {
      // Another replica was faster, or the Secret was deleted under our hands.
      if (hasStatus(error, 404, 409)) return "conflict";
      throw error;
    }
  }

  caBundles(): CaBundle[] {
    return this.#configurations.flatMap(({ cache }) =>
      [...cache.values()].flatMap((configuration) =>
        webhooksOf(configuration).map(({ name, clientConfig: { caBundle } }) => ({
          configuration: `${configuration.kind}/${configuration.metadata.name}`,
          webhook: name,
          caBundle: caBundle ? atob(caBundle) : undefined,
        }))
      )
    );
  }

  async setCaBundle(pem: string): Promise<void> {
    const value = btoa(pem);
    await Promise.all(this.#configurations.map(async (informer) => {
      for (const configuration of informer.cache.values()) {
        const patch: JsonPatch = webhooksOf(configuration).flatMap(({ name, clientConfig }, index) =>
          clientConfig.caBundle === value ? [] : [
            { op: "test" as const, path: `/webhooks/${index}/name`, value: name },
            { op: "add" as const, path: `/webhooks/${index}/clientConfig/caBundle`, value },
          ]
        );
        if (patch.length > 0) {
          informer.observe(await this.#kube.patch(informer.resource, configuration.metadata, patch));
        }
      }
    }));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes in what was written; the watch shows it only later, and does not tell it again. */
  #wrote(informer: Informer, object: KubeObject): void {
    informer.observe(object);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function webhooksOf(configuration: KubeObject): Webhook[] {
  return configuration.webhooks ?? [];
}

function decoded(data: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, safeAtob(value)]));
}

/** A damaged value reads as nothing, which makes the certificates anew. */
function safeAtob(value: string): string {
  try {
    return atob(value);
  } catch {
    return "";
  }
}
