import { join } from "node:path";
import { Authority, type KeyPair, signingKeys, type Subject } from "./certificates.ts";
import { apiUrl, auditPolicy, type Layout, schedulerConfiguration } from "./components.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { kwokConfiguration } from "./kwok.ts";

/** Who the components are, as RBAC knows them. kwok and the log server act for many kubelets, so they may do everything. */
const identities: Record<string, Subject> = {
  admin: { commonName: "admin", organizations: ["system:masters"] },
  "kube-apiserver": { commonName: "kube-apiserver", hosts: serverNames() },
  "kube-apiserver-kubelet-client": { commonName: "kube-apiserver-kubelet-client", organizations: ["system:masters"] },
  "kube-controller-manager": { commonName: "system:kube-controller-manager" },
  "kube-scheduler": { commonName: "system:kube-scheduler" },
  kwok: { commonName: "kwok", organizations: ["system:masters"] },
  "kubelet-logs": { commonName: "kubelet-logs", organizations: ["system:masters"], hosts: ["127.0.0.1"] },
};

function serverNames(): string[] {
  const service = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
  ];
  return ["127.0.0.1", "10.96.0.1", "localhost", ...service];
}

/**
 * Writes everything that the components read into the folder of a control plane.
 *
 * @param now when certificates begin to be valid
 * @returns the key pair of each identity, and that of the authority as "ca"
 */
export async function writeFiles({ folder, binaries, ports }: Layout, now: Date): Promise<Record<string, KeyPair>> {
  await Promise.all(["pki", "kubeconfig"].map((name) => Deno.mkdir(join(folder, name))));
  const authority = await Authority.create(now);
  const pki: Record<string, KeyPair> = { ca: authority.pair };
  for (const [name, subject] of Object.entries(identities)) pki[name] = await authority.issue(subject);
  const serviceAccounts = await signingKeys();
  const files: Record<string, string> = {
    "pki/service-accounts.key": serviceAccounts.privateKey,
    "pki/service-accounts.pub": serviceAccounts.publicKey,
    "audit-policy.yaml": auditPolicy,
    "audit.log": "",
    "kube-scheduler.yaml": schedulerConfiguration(folder),
    "kwok.yaml": await kwokConfiguration(binaries.stages),
  };
  for (const [name, pair] of Object.entries(pki)) {
    files[`pki/${name}.crt`] = pair.certificate;
    files[`pki/${name}.key`] = pair.key;
    files[`kubeconfig/${name}`] = kubeconfig(apiUrl(ports), authority.pair.certificate, pair);
  }
  const write = ([name, text]: [string, string]) => Deno.writeTextFile(join(folder, name), text, { mode: 0o600 });
  await Promise.all(Object.entries(files).map(write));
  return pki;
}
