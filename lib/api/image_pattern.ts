/**
 * Image references by the grammar of github.com/distribution/reference (regexp.go), as patterns that RE2 (a CRD's
 * `pattern`) and ECMAScript both read. Schema and parser are built from these, so that they cannot drift apart.
 *
 * Every repetition starts with a character that the one before cannot match: no input makes them back-track more than
 * once over its length.
 *
 * @module
 */

/** Longest reference that is looked at: name, tag and the longest known digest take 520 characters. */
export const MAX_REFERENCE_LENGTH = 1024;
/** Most characters in a name (`domain/path` as written, and the path with the implied `library/`). */
export const MAX_NAME_LENGTH = 255;
/** Most characters in a tag. */
export const MAX_TAG_LENGTH = 128;

const ALPHANUMERIC = "[a-z0-9]+";
const HOST_LABEL = "[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*";
const IPV6 = "\\[[a-fA-F0-9:]+\\]";
const TAG = `[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,${MAX_TAG_LENGTH - 1}}`;
// Lower case only: distribution's pattern takes capitals too, its parser then refuses every such algorithm as unknown.
const ALGORITHM = "[a-z][a-z0-9]*(?:[-_+.][a-z][a-z0-9]*)*";

/** One part of a path, not anchored. */
export const COMPONENT = `${ALPHANUMERIC}(?:(?:[._]|__|-+)${ALPHANUMERIC})*`;
/** Host of a registry with or without port, not anchored. */
export const DOMAIN = `(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|${IPV6})(?::[0-9]+)?`;
/** `algorithm:hex`, not anchored. */
export const DIGEST = `${ALGORITHM}:[a-fA-F0-9]{32,}`;

/**
 * `[domain/]path[:tag][@digest]`, anchored.
 *
 * It takes everything that is a reference. What it cannot say are rules of their own: a name is at most
 * {@link MAX_NAME_LENGTH} characters, a sha256, sha384 or sha512 digest has exactly 64, 96 or 128 lower-case digits,
 * and a bare name of 64 hex digits reads as an image ID.
 */
export const IMAGE_PATTERN = `^(?:${DOMAIN}/)?${COMPONENT}(?:/${COMPONENT})*(?::${TAG})?(?:@${DIGEST})?$`;
/** A tag, anchored, its length included. */
export const TAG_PATTERN = `^${TAG}$`;
