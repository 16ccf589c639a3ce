/**
 * Where the certificates of admission are kept: a Secret shared by all replicas, and, where they are our own, the CA in
 * both webhook configurations. Read by watches of exactly these objects.
 *
 * @module
 */
import type { KubeObject } from "../lib/api/object.ts";
import { MUTATING_WEBHOOKS, SECRET, VALIDATING_WEBHOOKS } from "../lib/api/resources.ts";
import type { KubeClient } from "../lib/kube/client.ts";
import { hasStatus, unlessMissing } from "../lib/kube/errors.ts";
import type { JsonPatch } from "../lib/kube/paths.ts";
import { Informer, type InformerDeps } from "../lib/runtime/informer.ts";
import type { CaBundle, CertificateStore, StoredSecret } from "../webhook/certificate_manager.ts";
import type { CertificateData } from "../webhook/certificates.ts";
import { CONFIGURATION_NAME } from "../webhook/configuration.ts";

export interface SecretDeps {
  informerDeps: InformerDeps;
  /** The operator's namespace. */
  namespace: string;
  /** Of the Secret. */
  name: string;
}

export interface CertificateStoreDeps extends SecretDeps {
  kube: KubeClient;
}

interface Webhook {
  name: string;
  clientConfig: { caBundle?: string };
}

/** One Secret, read only. */
export class CertificateSecret {
  readonly informer: Informer;
  readonly #key: string;

  constructor({ informerDeps, namespace, name }: SecretDeps) {
    const fieldSelector = `metadata.name=${name}`;
    this.informer = new Informer({ resource: SECRET, namespace, fieldSelector }, informerDeps);
    this.#key = `${namespace}/${name}`;
  }

  secret(): StoredSecret | undefined {
    const secret = this.informer.cache.get(this.#key);
    if (!secret) return undefined;
    return { data: decoded(secret.data ?? {}), resourceVersion: secret.metadata.resourceVersion! };
  }

  /** Calls back after every change. @returns Ends that. */
  onChange(listener: () => void): () => void {
    let isListening = true;
    this.informer.subscribe(() => isListening && listener());
    return () => isListening = false;
  }
}

/** See the module. */
export class ClusterCertificateStore implements CertificateStore {
  readonly #deps: CertificateStoreDeps;
  readonly #secret: CertificateSecret;
  readonly #configurations: readonly Informer[];
  readonly #listeners = new Set<() => void>();

  constructor(deps: CertificateStoreDeps) {
    this.#deps = deps;
    this.#secret = new CertificateSecret(deps);
    const fieldSelector = `metadata.name=${CONFIGURATION_NAME}`;
    this.#configurations = [MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS].map((resource) =>
      new Informer({ resource, fieldSelector }, deps.informerDeps)
    );
    for (const informer of this.informers) informer.subscribe(() => this.#tell());
  }

  /** The watches that this store needs. */
  get informers(): readonly Informer[] {
    return [this.#secret.informer, ...this.#configurations];
  }

  secret(): StoredSecret | undefined {
    return this.#secret.secret();
  }

  async saveSecret(data: CertificateData, resourceVersion: string | undefined): Promise<"saved" | "conflict"> {
    const { kube, name, namespace } = this.#deps;
    const object: KubeObject = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace, ...(resourceVersion ? { resourceVersion } : {}) },
      type: "kubernetes.io/tls",
      data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, btoa(text)])),
    };
    try {
      const saved = resourceVersion
        ? await kube.replace(object, SECRET, "maquette")
        : await kube.create(object, SECRET, "maquette");
      this.#wrote(this.#secret.informer, saved);
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

  async setCaBundle(pem: string, resourceVersion: string | undefined): Promise<"saved" | "conflict"> {
    if (!await this.#isLatest(resourceVersion)) return "conflict";
    await Promise.all(this.#configurations.map(async (informer) => {
      for (const configuration of informer.cache.values()) {
        const patch = bundlePatch(configuration, btoa(pem));
        if (patch.length === 0) continue;
        informer.observe(await this.#deps.kube.patch(informer.resource, configuration.metadata, patch));
      }
    }));
    return "saved";
  }

  /** The watch of a configuration may be ahead of that of the Secret. */
  async #isLatest(resourceVersion: string | undefined): Promise<boolean> {
    const { kube, name, namespace } = this.#deps;
    const secret = await unlessMissing(kube.get(SECRET, { name, namespace }));
    return secret?.metadata.resourceVersion === resourceVersion;
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

function bundlePatch(configuration: KubeObject, value: string): JsonPatch {
  return webhooksOf(configuration).flatMap(({ name, clientConfig }, index) =>
    clientConfig.caBundle === value ? [] : [
      { op: "test" as const, path: `/webhooks/${index}/name`, value: name },
      { op: "add" as const, path: `/webhooks/${index}/clientConfig/caBundle`, value },
    ]
  );
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
