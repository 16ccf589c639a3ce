/**
 * What an environment has of its Project's Secrets: copies, and builds that work with them. What must go, and what tells
 * that the content of a copy changed. Pure.
 *
 * Without a Project that it may use, an environment keeps no Secret from another namespace than its own, and the
 * certificate that the operator gives to all. What is deployed serves on with what it has in memory.
 *
 * @module
 */
import { ANNOTATION_SOURCE } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import { isBuildJob } from "../../build/names.ts";
import { mayUse } from "../../environment_names.ts";
import { contentMark } from "../../runtime/copies.ts";
import { foundSecrets, type SeenEnvironment } from "./checks.ts";
import { secretKeys } from "./sources.ts";

/** Of what the environment has, all that it has no right to any more, whatever else keeps it from being mended. */
export function revokedOf(seen: SeenEnvironment): KubeObject[] {
  const { owner, project, isNested, settings, lent } = seen;
  if (project && !isNested && mayUse(owner, project)) {
    const named = new Set(secretKeys(project, settings).map((key) => key.slice(key.indexOf("/") + 1)));
    return lent.filter((object) => !isBuildJob(object) && !named.has(object.metadata.name));
  }
  const { tls } = settings;
  const home = `${owner.metadata.namespace ?? "default"}/`;
  return lent.filter(({ metadata }) =>
    !(tls.mode === "wildcard" && metadata.name === tls.secret) &&
    !metadata.annotations?.[ANNOTATION_SOURCE]?.startsWith(home)
  );
}

/** By name, what changes with the content of each copy; nothing while one of them is not there as it should be. */
export function secretMarks(seen: SeenEnvironment): Map<string, string> | undefined {
  const copies = new Map(seen.lent.map((object) => [`${object.kind} ${object.metadata.name}`, object]));
  const marks = new Map<string, string>();
  for (const { kind, metadata: { name } } of foundSecrets(seen)) {
    const copy = copies.get(`${kind} ${name}`);
    const mark = copy && contentMark(copy);
    if (mark === undefined) return undefined;
    marks.set(name, mark);
  }
  return marks;
}
