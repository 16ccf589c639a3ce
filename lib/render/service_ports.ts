/**
 * What is wrong with the ports of a Service by itself. The API server would say so as well, but in its own words, without
 * the file, and after other objects were made. Pure.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#multi-port-services
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { groupOf, isRecord } from "./pod_templates.ts";

interface Port {
  name?: unknown;
  port?: unknown;
  protocol?: unknown;
}

/** In words; nothing for other kinds. */
export function portProblems(object: KubeObject): string[] {
  if (object.kind !== "Service" || groupOf(object) !== "" || !Array.isArray(object.spec?.ports)) return [];
  const ports: Port[] = object.spec.ports.filter(isRecord);
  return [...sameName(ports), ...sameNumber(ports), ...noName(ports)];
}

function sameName(ports: readonly Port[]): string[] {
  const byName = Map.groupBy(ports.filter(({ name }) => name !== undefined && name !== ""), ({ name }) => name);
  return [...byName].filter(([, all]) => all.length > 1).map(([name, all]) =>
    `ports ${numbers(all)} are all named "${name}": give each a name of its own`
  );
}

function sameNumber(ports: readonly Port[]): string[] {
  const byNumber = Map.groupBy(ports, ({ port, protocol }) => `${port} (${protocol ?? "TCP"})`);
  return [...byNumber].filter(([, all]) => all.length > 1).map(([title, all]) => {
    const names = all.map(({ name }) => `"${name ?? ""}"`).join(", ");
    return `port ${title} stands there ${all.length} times, as ${names}: one is enough`;
  });
}

function noName(ports: readonly Port[]): string[] {
  const without = ports.filter(({ name }) => name === undefined || name === "");
  if (ports.length < 2 || without.length === 0) return [];
  return [`port ${numbers(without)} has no name, and of several ports each needs one`];
}

function numbers(ports: readonly Port[]): string {
  return ports.map(({ port }) => port).join(", ");
}
