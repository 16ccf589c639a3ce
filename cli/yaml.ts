/**
 * How objects are printed.
 *
 * @module
 */
import { stringify } from "yaml";

/** Objects as one YAML stream; long lines stay whole and equal input gives equal text. */
export function toYaml(objects: readonly unknown[]): string {
  return objects.map((object) => `---\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`).join("")
    .trimEnd();
}
