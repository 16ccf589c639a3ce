/**
 * Being a Pod of the operator's without running in one: its token, as the API server's fence around the leader needs it.
 *
 * @module
 */
import { stringify } from "yaml";
import { ACCOUNT } from "../cli/install/rbac.ts";
import type { ControlPlane } from "./control_plane/control_plane.ts";
import { kubeconfig } from "./control_plane/kubeconfig.ts";

export interface PodOfOurs {
  namespace: string;
  name: string;
}

/** Makes the Pod, which is never scheduled, if it is not there. @returns Path of a kubeconfig with a token bound to it. */
export async function podKubeconfig(plane: ControlPlane, { namespace, name }: PodOfOurs): Promise<string> {
  await plane.kubectl(["apply", "--server-side", "-f", "-"], { stdin: stringify(waitingPod({ namespace, name })) });
  const bound = ["--bound-object-kind=Pod", `--bound-object-name=${name}`, "--duration=24h"];
  const { stdout } = await plane.kubectl(["create", "token", ACCOUNT, "--namespace", namespace, ...bound]);
  const path = `${plane.folder}/kubeconfig-pod-${name}`;
  await Deno.writeTextFile(path, kubeconfig(plane.server, plane.caPem, { token: stdout.trim() }), { mode: 0o600 });
  return path;
}

function waitingPod(metadata: PodOfOurs): Record<string, unknown> {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: {
      serviceAccountName: ACCOUNT,
      schedulingGates: [{ name: "maquette.dev/only-for-its-token" }],
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [{
        name: "none",
        image: "none",
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      }],
    },
  };
}
