/**
 * Lets Pods pull the image that was built for them: its registry may be closed to others. Pure.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import { containersOf, podSpecOf } from "../../render/pod_templates.ts";

/** The object, with the Secret among the `imagePullSecrets` of Pods that use the repository; others as they are. */
export function withPullSecret(
  object: KubeObject,
  { name, repository }: { name: string; repository: string },
): KubeObject {
  const spec = podSpecOf(object);
  const uses = spec && containersOf(spec).some(({ image }) =>
    /^[:@]/.test(String(image).slice(repository.length)) &&
    String(image).startsWith(repository)
  );
  if (!uses) return object;
  const copy = structuredClone(object);
  const target = podSpecOf(copy)!;
  const before: { name?: string }[] = Array.isArray(target.imagePullSecrets) ? target.imagePullSecrets : [];
  if (!before.some((each) => each?.name === name)) target.imagePullSecrets = [...before, { name }];
  return copy;
}
