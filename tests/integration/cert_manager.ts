/**
 * cert-manager, played: its kinds as far as an installation asks for them, its issuer and its cainjector.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import { type CertifiedKey, createAuthority, issueLeaf } from "../../webhook/x509.ts";
import { waitFor } from "../wait.ts";
import { type Administrator, READ } from "./certificates.ts";

const HOUR_MS = 3_600_000;

/** The part of cert-manager's kinds that an installation asks for. */
export function certManagerKinds(): KubeObject[] {
  return ["Issuer", "Certificate"].map((kind) => {
    const singular = kind.toLowerCase();
    const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    return {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${singular}s.cert-manager.io` },
      spec: {
        group: "cert-manager.io",
        names: { kind, plural: `${singular}s`, singular },
        scope: "Namespaced",
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    };
  });
}

/** Does what cert-manager does. */
export class CertManager {
  readonly #administrator: Administrator;
  readonly #authority: CertifiedKey;

  private constructor(administrator: Administrator, authority: CertifiedKey) {
    this.#administrator = administrator;
    this.#authority = authority;
  }

  static async start(administrator: Administrator): Promise<CertManager> {
    return new CertManager(administrator, await createAuthority(hours(24)));
  }

  /** Writes a new leaf into the Secret. */
  async issue(): Promise<void> {
    const names = await waitFor("somebody to ask for a certificate", () => this.#administrator.names());
    const { cert, key } = await issueLeaf(this.#authority, { ...hours(1), names });
    await this.#administrator.put(READ, { "tls.crt": cert, "tls.key": key, "ca.crt": this.#authority.cert });
  }

  /** What the cainjector does. */
  async inject(): Promise<void> {
    await waitFor("the configurations", () => this.#administrator.bundles());
    await this.#administrator.setBundles(this.#authority.cert);
  }
}

function hours(life: number): { notBefore: number; notAfter: number } {
  return { notBefore: Date.now() - HOUR_MS, notAfter: Date.now() + life * HOUR_MS };
}
