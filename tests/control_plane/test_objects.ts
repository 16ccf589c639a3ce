// deno-lint-ignore no-explicit-any -- written as they would be in YAML
type Anything = any;

/** A ResourceQuota that lets one pod in. */
export function quota(name: string, namespace: string): Anything {
  return { apiVersion: "v1", kind: "ResourceQuota", metadata: { name, namespace }, spec: { hard: { pods: "1" } } };
}

/** A LimitRange that makes containers ask for 50m and 64Mi. */
export function limitRange(name: string, namespace: string): Anything {
  const limits = [{ type: "Container", defaultRequest: { cpu: "50m", memory: "64Mi" } }];
  return { apiVersion: "v1", kind: "LimitRange", metadata: { name, namespace }, spec: { limits } };
}

/** A namespace. */
export function namespace(name: string, labels: Record<string, string> = {}): Anything {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

/** A pod of one container, "app". */
export function pod(name: string, container: Anything, spec: Anything = {}, inNamespace = "default"): Anything {
  const containers = [{ name: "app", ...container }];
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: inNamespace }, spec: { ...spec, containers } };
}

/** A Deployment of two pods. */
export function deployment(name: string, image: string): Anything {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: "app", image }] } };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  };
}

/** A Service for the pods of the Deployment of that name. */
export function service(name: string): Anything {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80 }] },
  };
}

/** A Job that tries once. */
export function job(name: string, image: string): Anything {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image }] } };
  return { apiVersion: "batch/v1", kind: "Job", metadata: { name }, spec: { backoffLimit: 0, template } };
}

/** A claim for 1 GiB of the default storage class. */
export function claim(name: string): Anything {
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name }, spec };
}
