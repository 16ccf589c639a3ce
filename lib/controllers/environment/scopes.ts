/**
 * Which kinds of a rendering live in namespaces, as the cluster says: no list knows those that others have installed.
 * Asked once for each rendering; the scope of a kind never changes, unless somebody deletes the kind and makes it anew.
 *
 * @module
 */
import type { Discovery } from "../../kube/discovery.ts";
import { groupOf } from "../../render/pod_templates.ts";
import type { Judging } from "../../render/refuse.ts";
import type { Rendering } from "../../render/renderer.ts";

/** @returns For kinds of the rendering; `undefined` for those that the cluster does not know, or not now. */
export async function scopesOf(
  { objects, hooks }: Pick<Rendering, "objects" | "hooks">,
  discovery: Pick<Discovery, "findPreferred">,
): Promise<NonNullable<Judging["isNamespaced"]>> {
  const kinds = new Map([...objects, ...hooks].map(({ object }) => {
    const name = { group: groupOf(object), kind: object.kind };
    return [keyOf(name), name];
  }));
  const asked = [...kinds].map(async ([key, { group, kind }]) => {
    // Before anything is applied it is asked for again, and what is wrong then is said then.
    const found = await discovery.findPreferred(group, kind).catch(() => undefined);
    return [key, found?.resource.namespaced] as const;
  });
  const scopes = new Map(await Promise.all(asked));
  return (name) => scopes.get(keyOf(name));
}

function keyOf({ group, kind }: { group: string; kind: string }): string {
  return `${group}/${kind}`;
}
