/**
 * What is wrong with the content of Secrets and ConfigMaps that is written in base64. The API server would answer as if
 * the fault were its own (500), and be asked again for ever. Content is never shown. Pure.
 *
 * @module
 */
import type { KubeObject } from "../api/object.ts";
import { groupOf, isRecord } from "./pod_templates.ts";

/** By kind: the field in base64, the one for plain text, and the white space that may stand in between. */
const FIELDS: Readonly<Record<string, { field: string; plain: string; space: RegExp }>> = {
  // Deploying writes it in one line (lib/deploy/normal_form.ts).
  Secret: { field: "data", plain: "stringData", space: /\s+/g },
  ConfigMap: { field: "binaryData", plain: "data", space: /[\r\n]+/g },
};

/** In words; nothing for other kinds. */
export function encodingProblems(object: KubeObject): string[] {
  const fields = groupOf(object) === "" ? FIELDS[object.kind] : undefined;
  const content: unknown = fields && object[fields.field];
  if (!fields || !isRecord(content)) return [];
  const { field, plain, space } = fields;
  return Object.entries(content).filter(([, value]) => value !== null && !isBase64(value, space))
    .map(([key]) => `${field} "${key}" is not base64: plain text belongs into ${plain}`);
}

function isBase64(value: unknown, space: RegExp): boolean {
  if (typeof value !== "string") return false;
  const text = value.replace(space, "");
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
