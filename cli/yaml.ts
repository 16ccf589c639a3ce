/**
 * How objects are read and printed: in YAML 1.1, as kubectl reads it, where `yes` and `on` are booleans and `010` is
 * eight. Other readings would judge and print other objects than the cluster gets.
 *
 * @module
 */
import { type Document, type DocumentOptions, parseAllDocuments, type SchemaOptions, stringify, type Tags } from "yaml";
import type { LineCounter } from "yaml";

/** Times and numbers to base 60 are texts to kubectl. */
const TEXTS_TO_KUBECTL = new Set(["tag:yaml.org,2002:timestamp"]);

const AS_KUBECTL: DocumentOptions & SchemaOptions = {
  version: "1.1",
  customTags: (tags: Tags) =>
    tags.filter((tag) =>
      typeof tag === "string" || !(TEXTS_TO_KUBECTL.has(tag.tag) || ("format" in tag && tag.format === "TIME"))
    ),
};
const READ_AS_KUBECTL: typeof AS_KUBECTL = {
  ...AS_KUBECTL,
  customTags: (tags) => (AS_KUBECTL.customTags as (tags: Tags) => Tags)(tags).map(withDigits),
};

/** A point without digits (`context: .`) is a text to kubectl, and a number to YAML 1.1. */
function withDigits(tag: Tags[number]): Tags[number] {
  if (typeof tag === "string" || !("test" in tag) || !tag.test?.test(".")) return tag;
  return { ...tag, test: new RegExp(`^(?=.*[0-9])(?:${tag.test.source})$`) };
}

/** Documents of a stream. */
export function parseYaml(text: string, lineCounter: LineCounter): Document.Parsed[] {
  return parseAllDocuments(text, { ...READ_AS_KUBECTL, lineCounter }) as Document.Parsed[];
}

/** Objects as one YAML stream; long lines stay whole and equal input gives equal text. */
export function toYaml(objects: readonly unknown[]): string {
  return objects.map(documentOf).join("").trimEnd();
}

/** One object as a document of a stream. */
export function documentOf(object: unknown): string {
  const text = stringify(object, { ...AS_KUBECTL, lineWidth: 0, aliasDuplicateObjects: false });
  return `---\n${text}`;
}
