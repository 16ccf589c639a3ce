import { join } from "node:path";

/** The annotation on a pod that chooses what it does, before its images are looked at. */
export const behaviourAnnotation = "simulate.maquette.dev/behaviour";

/** The annotation on a pod whose change makes kwok look at it again. */
export const againAnnotation = "simulate.maquette.dev/again";

/** A configuration file has no defaults: what is not here is zero, which kwok refuses. */
const options = `apiVersion: config.kwok.x-k8s.io/v1alpha1
kind: KwokConfiguration
options:
  manageAllNodes: true
  nodeLeaseDurationSeconds: 40
  nodeLeaseParallelism: 4
  nodePlayStageParallelism: 4
  podPlayStageParallelism: 16
  podsOnNodeSyncParallelism: 4
  enablePodsOnNodeSyncStreamWatch: true
  cidr: 10.128.0.1/10
`;

/** jq for what can choose a behaviour without the annotation: the last part of each image, with its tag. */
const imageNames = '.spec.containers[].image | split("/") | last';

/** What stands for jq in the stage files. */
const expressions = {
  // The annotation, or else the first of the words in an image's name, or else "ready".
  "$BEHAVIOUR": `(.metadata.annotations["${behaviourAnnotation}"] // ` +
    `([${imageNames} | capture("(?<word>missing|crash|unready|slow)").word] | first) // "ready")`,
  // How long "slow" takes: "slow-3s" says it itself.
  "$SLOWNESS": `(([${imageNames} | capture("slow-(?<time>[0-9]+s)").time] | first) // "10s")`,
};

/**
 * Puts the stages of simulated nodes and pods together: kwok's own for nodes and deletion, ours for what pods do.
 *
 * @param kwokStages folder with kwok's own stage files
 * @returns the text of a configuration file for kwok
 */
export async function kwokConfiguration(kwokStages: string): Promise<string> {
  const own = await stageFiles(join(import.meta.dirname!, "stages"));
  return [options, ...await stageFiles(kwokStages), ...own.map(fillIn)].join("\n---\n");
}

function fillIn(stage: string): string {
  const quoted = (text: string, [name, jq]: [string, string]) =>
    text.replaceAll(`"${name}"`, () => `'${jq}'`).replaceAll(name, () => jq);
  return Object.entries(expressions).reduce(quoted, stage);
}

async function stageFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) if (entry.name.endsWith(".yaml")) names.push(entry.name);
  return await Promise.all(names.sort().map((name) => Deno.readTextFile(join(folder, name))));
}

/**
 * A simulated node big enough for thousands of pods.
 *
 * @param kubeletPort where its kubelet answers on 127.0.0.1
 */
export function simulatedNode(name: string, kubeletPort: number): unknown {
  const resources = { cpu: "2000", memory: "4Ti", "ephemeral-storage": "10Ti", pods: "10000" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/role": "agent",
      },
    },
    status: {
      capacity: resources,
      allocatable: resources,
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }, { type: "Hostname", address: name }],
      daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    },
  };
}

/** The default storage class; its volumes are simulated as well (stages/volumes.yaml). */
export const simulatedStorageClass = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner: "simulate.maquette.dev/volumes",
  volumeBindingMode: "Immediate",
};
