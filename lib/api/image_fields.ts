/**
 * `image` and `image_tag` as fields of a kind.
 *
 * The patterns in the rules work on a text that already has the grammar of a reference: in `host:5000/app` the colon
 * of the port is followed by a slash, the colon of a tag never is.
 *
 * @module
 */
import type { z } from "zod";
import { matching, text } from "./fields.ts";
import { IMAGE_PATTERN, MAX_NAME_LENGTH, MAX_REFERENCE_LENGTH, MAX_TAG_LENGTH, TAG_PATTERN } from "./image_pattern.ts";
import { type Rule, withRules } from "./rules.ts";

const SHORT_NAME = `^[^@]{0,${MAX_NAME_LENGTH}}(:[^/:@]*)?(@[^@]*)?$`;
const KNOWN_DIGEST = "@sha(256|384|512):";
const WHOLE_DIGEST = "@(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$";
const IMAGE_ID = "^[a-f0-9]{64}$";
const TAG_OR_DIGEST = "[:@][^/]*$";

/** Says whether a text matches, in TypeScript as `matches()` does in CEL. */
function matches(value: string, pattern: string): boolean {
  return new RegExp(pattern).test(value);
}

/** An image reference, with or without tag or digest; registry ports and digests are valid. */
export function imageReference(): z.ZodString {
  // Not a `pattern`: the API server would show the grammar, and nobody can read it.
  return withRules(text(0, MAX_REFERENCE_LENGTH), {
    cel: `self.matches(r'${IMAGE_PATTERN}')`,
    holds: (image) => matches(image, IMAGE_PATTERN),
    message: "Must be an image reference: [registry/]repository[:tag][@digest], the repository in lower case",
  }, {
    cel: `self.matches('${SHORT_NAME}')`,
    holds: (image) => matches(image, SHORT_NAME),
    message: `Must have at most ${MAX_NAME_LENGTH} characters before tag and digest`,
  }, {
    cel: `!self.matches('${KNOWN_DIGEST}') || self.matches('${WHOLE_DIGEST}')`,
    holds: (image) => !matches(image, KNOWN_DIGEST) || matches(image, WHOLE_DIGEST),
    message: "Must have a whole digest: 64 lower-case hex digits for sha256, 96 for sha384, 128 for sha512",
  }, {
    cel: `!self.matches('${IMAGE_ID}')`,
    holds: (image) => !matches(image, IMAGE_ID),
    message: "Must name a repository: 64 hex digits alone read as the ID of an image",
  });
}

/** A repository in a registry, without tag and digest: where images are pushed to. */
export function imageRepository(): z.ZodString {
  return withRules(imageReference(), {
    cel: `!self.matches('${TAG_OR_DIGEST}')`,
    holds: (image) => !matches(image, TAG_OR_DIGEST),
    message: "Must be a repository without tag and digest: the commit becomes the tag",
  });
}

/** A tag. */
export function imageTag(): z.ZodString {
  const message = 'Must be a tag: letters, digits, "_", "." and "-", not starting with "." or "-"';
  return matching(TAG_PATTERN, { max: MAX_TAG_LENGTH, message });
}

interface ImageAndTag {
  image: string;
  image_tag?: string;
}

/** An image without tag and digest needs `image_tag`. */
export const TAG_REQUIRED: Rule<ImageAndTag> = {
  field: ["image_tag"],
  reads: ["image", "image_tag"],
  cel: `has(self.image_tag) || self.image.matches('${TAG_OR_DIGEST}')`,
  holds: ({ image, image_tag }) => image_tag !== undefined || matches(image, TAG_OR_DIGEST),
  message: "Is required, because image carries neither a tag nor a digest",
  reason: "FieldValueRequired",
};

/** `image_tag` beside a tag in `image` is that tag; beside a digest alone there is none that could equal it. */
export const TAG_AGREES: Rule<ImageAndTag> = {
  field: ["image_tag"],
  reads: ["image", "image_tag"],
  cel: `!has(self.image_tag) || !self.image.matches('${TAG_OR_DIGEST}')` +
    " || self.image.split('@')[0].endsWith(':' + self.image_tag)",
  holds: ({ image, image_tag }) =>
    image_tag === undefined || !matches(image, TAG_OR_DIGEST) || image.split("@")[0]!.endsWith(`:${image_tag}`),
  message: "Must equal the tag that image carries, or be left out",
};
