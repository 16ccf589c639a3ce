import { createHash } from "node:crypto";
import { join } from "node:path";

/** The programs of a control plane. */
export type Program =
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubectl"
  | "kwok"
  | "supervisor"
  | "kubelet-logs";

/** How to build the programs of one Go module. */
export interface Module {
  /** Folder with its go.mod. */
  folder: string;
  /** Package path of each program, as `go build` takes it. */
  packages: Partial<Record<Program, string>>;
  ldflags: string;
  /** Changes whenever anything that goes into the build does: the name of the folder in the cache. */
  digest: string;
}

/** The stage files that are taken from kwok's own module, relative to its root. */
export const kwokStageFiles: readonly string[] = [
  "kustomize/stage/node/fast/node-initialize.yaml",
  "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
  "kustomize/stage/pod/fast/pod-delete.yaml",
];

const here = import.meta.dirname!;

/** The modules in the order in which they are worth building: small ones first, so that a broken set-up shows early. */
export async function modules(): Promise<Module[]> {
  return await Promise.all([
    describe("supervisor", { supervisor: "." }),
    describe("kubelet", { "kubelet-logs": "." }),
    describe("modules/etcd", { etcd: "go.etcd.io/etcd/server/v3" }),
    describe("modules/k8s", {
      "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
      kubectl: "k8s.io/kubernetes/cmd/kubectl",
      "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
      "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    }),
    describe("modules/kwok", { kwok: "sigs.k8s.io/kwok/cmd/kwok" }),
  ]);
}

async function describe(path: string, packages: Module["packages"]): Promise<Module> {
  const folder = join(here, path);
  const sources = await sourceFiles(folder);
  const ldflags = `-s -w ${kubernetesVersionFlags(sources.get("go.mod")!)}`.trim();
  const hash = createHash("sha256").update(ldflags);
  for (const [name, text] of sources) hash.update(`\0${name}\0${text}`);
  return { folder, packages, ldflags, digest: `${path.split("/").at(-1)}-${hash.digest("hex").slice(0, 12)}` };
}

async function sourceFiles(folder: string): Promise<Map<string, string>> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isFile && !entry.name.endsWith("_test.go")) names.push(entry.name);
  }
  names.sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await Deno.readTextFile(join(folder, name))] as const)),
  );
}

/** Without these flags every component, and the API server's /version, calls itself v0.0.0-master. */
function kubernetesVersionFlags(goMod: string): string {
  const match = goMod.match(/k8s\.io\/kubernetes v(\d+)\.(\d+)\.\d+/);
  if (!match) return "";
  const [required, major, minor] = match;
  const version = required.split(" ")[1];
  return ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"]
    .map((path) => `-X ${path}.gitVersion=${version} -X ${path}.gitMajor=${major} -X ${path}.gitMinor=${minor}`).join(
      " ",
    );
}
