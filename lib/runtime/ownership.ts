/**
 * Who owns an object: the labels and annotation that every child carries (SPEC section 1).
 *
 * @module
 */
import {
  ANNOTATION_OWNER,
  LABEL_INSTANCE,
  LABEL_MANAGED_BY,
  LABEL_OWNER_UID,
  LABEL_PART_OF,
  MANAGED_BY,
} from "../api/names.ts";
import type { KubeObject, Resource } from "../api/object.ts";
import { CLAIM, POD } from "../api/resources.ts";
import { labelValue } from "../naming.ts";

/** Selects every child of every owner, Pods aside. */
export const CHILD_SELECTOR = `${LABEL_MANAGED_BY}=${MANAGED_BY}`;

/** What a watch of the children of a kind selects by. Charts say themselves who manages their Pods: "Helm", often. */
export function childSelector(resource: Resource): string {
  return resource === POD ? LABEL_OWNER_UID : CHILD_SELECTOR;
}

/** Labels of every child, and of the Pods that a child makes. */
export function ownerLabels(owner: KubeObject): Record<string, string> {
  return {
    [LABEL_MANAGED_BY]: MANAGED_BY,
    [LABEL_INSTANCE]: labelValue(owner.metadata.name),
    [LABEL_PART_OF]: labelValue(owner.kind.toLowerCase()),
    [LABEL_OWNER_UID]: owner.metadata.uid ?? "",
  };
}

/** `<Kind>.<group>/<namespace>/<name>` */
export function ownerReferenceText(owner: KubeObject): string {
  const group = owner.apiVersion.split("/")[0];
  return `${owner.kind}.${group}/${owner.metadata.namespace}/${owner.metadata.name}`;
}

/** The key (`namespace/name`) of the owner that the annotation names, if it is of this kind. */
export function annotatedOwner(object: KubeObject, kind: { kind: string; group: string }): string | undefined {
  const text = object.metadata.annotations?.[ANNOTATION_OWNER];
  const prefix = `${kind.kind}.${kind.group}/`;
  return text?.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

/** Whether this owner made the object. */
export function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  return owner.metadata.uid !== undefined && object.metadata.labels?.[LABEL_OWNER_UID] === owner.metadata.uid;
}

/**
 * A desired child with everything that marks it as its owner's; in the owner's namespace also an ownerReference, but for
 * claims: what they hold cannot be made again, so no garbage collector may decide about them.
 */
export function stamp(child: KubeObject, owner: KubeObject): KubeObject {
  const { namespace } = child.metadata;
  const isBeside = namespace !== undefined && namespace === owner.metadata.namespace && child.kind !== CLAIM.kind;
  return {
    ...child,
    metadata: {
      ...child.metadata,
      labels: { ...child.metadata.labels, ...ownerLabels(owner) },
      annotations: { ...child.metadata.annotations, [ANNOTATION_OWNER]: ownerReferenceText(owner) },
      ...(isBeside ? { ownerReferences: [controllerReference(owner)] } : {}),
    },
  };
}

function controllerReference(owner: KubeObject): NonNullable<KubeObject["metadata"]["ownerReferences"]>[number] {
  const { name, uid = "" } = owner.metadata;
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true, blockOwnerDeletion: true };
}
