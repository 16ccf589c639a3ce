/**
 * The names that Maquette writes into a cluster. All of them are load-bearing: objects that already exist carry them,
 * so changing one orphans fields or children (SPEC section 1).
 *
 * @module
 */

/** Field manager of every child object (server-side apply). */
export const FIELD_MANAGER = "maquette";
/** Field manager of the status of our own kinds. */
export const STATUS_FIELD_MANAGER = "maquette-status";
/** Keeps an owner until what it made is gone. */
export const FINALIZER = "maquette.dev/cleanup";

/** Marks every child; the child informers select by it. */
export const LABEL_MANAGED_BY = "app.kubernetes.io/managed-by";
/** Value of {@link LABEL_MANAGED_BY}. */
export const MANAGED_BY = "maquette";
export const LABEL_INSTANCE = "app.kubernetes.io/instance";
export const LABEL_PART_OF = "app.kubernetes.io/part-of";
/** `metadata.uid` of the owner: what ownership is decided by. */
export const LABEL_OWNER_UID = "maquette.dev/owner-uid";
/** `<Kind>.<group>/<namespace>/<name>` of the owner, for people and for finding the owner after it was made anew. */
export const ANNOTATION_OWNER = "maquette.dev/owner";
/** Digest of what was last applied: a difference means that the wish changed, even where a field was only dropped. */
export const ANNOTATION_APPLIED = "maquette.dev/applied";

/** `"true"` stops changes to an owner's children (not deletion). */
export const ANNOTATION_PAUSED = "maquette.dev/paused";
/** RFC 3339 time until which a PreviewEnvironment is kept beyond its TTL. */
export const ANNOTATION_EXTEND_UNTIL = "maquette.dev/extend-until";
/** `<namespace>/<name>@<uid>/<resourceVersion>` of the object that a copied ConfigMap or Secret was taken from. */
export const ANNOTATION_SOURCE = "maquette.dev/source-version";
/** Digest of a copy's content, so that a change by hand shows. */
export const ANNOTATION_CONTENT = "maquette.dev/content";
