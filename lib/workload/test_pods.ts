/**
 * Pods in the states that kubelets report, for tests.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";

/** One container's status as the API server shows it. */
export type ContainerState = Record<string, unknown>;

/** A container of the name `app`. @param status Over a container that was never restarted and is not ready. */
export function containerStatus(status: ContainerState = {}): ContainerState {
  return { name: "app", image: "shop:v1", ready: false, restartCount: 0, state: {}, ...status };
}

/** `state` of a container that waits. */
export function waiting(reason: string, message = ""): ContainerState {
  return { waiting: { reason, message } };
}

/** `state` of a container that ended. @param run Tells one run from another. */
export function terminated(exitCode: number, reason: string, run = 1): ContainerState {
  const containerID = `containerd://run-${run}`;
  return { terminated: { exitCode, reason, containerID, finishedAt: `2026-01-01T00:00:${10 + run}Z` } };
}

/** `state` of a container that runs. */
export function running(): ContainerState {
  return { running: { startedAt: "2026-01-01T00:00:00Z" } };
}

/** A Pod of a Deployment. @param parts What is special about it; `app` is short for its only container's status. */
export function pod(
  parts: {
    name?: string;
    app?: ContainerState;
    status?: Record<string, unknown>;
    spec?: Record<string, unknown>;
    metadata?: Partial<KubeObject["metadata"]>;
  } = {},
): KubeObject {
  const { name = "shop-1", app, status = {}, spec = {}, metadata = {} } = parts;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "preview-pr-7", uid: `uid-of-${name}`, ...metadata },
    spec: { restartPolicy: "Always", containers: [{ name: "app", image: "shop:v1" }], ...spec },
    status: { phase: "Pending", ...(app ? { containerStatuses: [containerStatus(app)] } : {}), ...status },
  };
}
