/**
 * Comparing resource versions.
 *
 * @module
 */

/**
 * Whether resource version `a` is newer than `b`. Versions of one resource are decimal numbers that only grow
 * (KEP-5504, stable since Kubernetes 1.35; true of etcd's revisions before it), longer than JavaScript's safe integers.
 */
export function isNewer(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.length === b.length ? a > b : a.length > b.length;
}
