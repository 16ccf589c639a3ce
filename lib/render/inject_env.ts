/**
 * Puts environment variables into workloads. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import type { Container } from "./pod_templates.ts";
import { copied, type Injected, placesIn } from "./injection.ts";

/** No container takes the variables. */
export const ENV_NOT_INJECTED = "EnvNotInjected";

/** `env[]` of a container: a name, and `value` or `valueFrom`. */
export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: unknown;
}

/**
 * Puts variables into every container and init container of Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs,
 * CronJobs and Pods. A variable of the same name gives its place to ours, so that what refers to it (`$(NAME)`) still
 * comes behind it; new ones come last.
 */
export function injectEnv<T extends { object: KubeObject }>(items: readonly T[], vars: readonly EnvVar[]): Injected<T> {
  const result: Injected<T> = { items: copied(items), injected: [], warnings: [] };
  if (vars.length === 0) return result;
  const value = vars.map(({ name }) => name).join(", ");
  for (const { container, title } of placesIn(result.items)) {
    container.env = merged(container, vars);
    result.injected.push({ what: "env", where: title, value });
  }
  if (result.injected.length === 0) {
    const message = `No workload takes the environment variables ${value}: there is none among the rendered objects`;
    result.warnings.push({ reason: ENV_NOT_INJECTED, message });
  }
  return result;
}

function merged({ env }: Container, vars: readonly EnvVar[]): NonNullable<Container["env"]> {
  const left = new Map(vars.map((variable) => [variable.name, variable]));
  const ours = new Set(left.keys());
  const before = Array.isArray(env) ? env : [];
  const kept = before.flatMap((variable) => {
    if (!ours.has(variable?.name)) return [variable];
    const replacement = left.get(variable.name);
    left.delete(variable.name);
    return replacement ? [{ ...replacement }] : [];
  });
  return [...kept, ...[...left.values()].map((variable) => ({ ...variable }))];
}
