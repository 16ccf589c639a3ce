/**
 * Reading the objects of a YAML file.
 *
 * @module
 */
import { LineCounter } from "yaml";
import { UsageError } from "../lib/config.ts";
import type { KindDefinition } from "../lib/api/kind.ts";
import type { KubeObject } from "../lib/api/object.ts";
import { kindOf } from "../lib/api/registry.ts";
import type { World } from "./command.ts";
import { parseYaml } from "./yaml.ts";

/** Anchors and aliases multiply; this many are more than any manifest needs. */
const MAX_ALIASES = 100;

/** One object of a file that is of our kinds. */
export interface FileObject {
  kind: KindDefinition;
  object: KubeObject;
}

/** What `-f` brought. */
export interface FileContent {
  objects: FileObject[];
  /** Objects of other kinds, which are passed over, in words. */
  others: string[];
}

/** @param path A file, or `-` for standard input. @throws {UsageError} When it cannot be read or is not YAML. */
export async function readObjects(path: string | boolean | undefined, world: World): Promise<FileContent> {
  if (typeof path !== "string") throw new UsageError("-f FILE is required (- reads standard input)");
  const text = path === "-" ? await world.readStdin() : await read(path, world);
  const content: FileContent = { objects: [], others: [] };
  for (const value of documents(text, path)) sort(value, content);
  return content;
}

async function read(path: string, world: World): Promise<string> {
  try {
    return await world.readFile(path);
  } catch (error) {
    throw new UsageError(`Cannot read "${path}": ${(error as Error).message}`);
  }
}

function documents(text: string, path: string): unknown[] {
  const lines = new LineCounter();
  return parseYaml(text, lines).flatMap((document) => {
    const error = document.errors[0];
    if (error) {
      const { line } = lines.linePos(error.pos[0]);
      throw new UsageError(`Cannot read "${path}": line ${line}: ${error.message.split("\n")[0]}`);
    }
    try {
      const value = document.toJS({ maxAliasCount: MAX_ALIASES });
      return value === null || value === undefined ? [] : [value];
    } catch (error) {
      throw new UsageError(`Cannot read "${path}": ${(error as Error).message}`);
    }
  });
}

function sort(value: unknown, content: FileContent): void {
  if (typeof value !== "object" || value === null) {
    throw new UsageError(`Not a Kubernetes object: ${JSON.stringify(value)}`);
  }
  const object = value as KubeObject;
  if (object.kind === "List" && Array.isArray(object.items)) {
    for (const item of object.items) sort(item, content);
    return;
  }
  const kind = kindOf(object);
  const name = object.metadata?.name ?? "";
  if (kind) content.objects.push({ kind, object });
  else content.others.push(`${object.kind ?? "object"} "${name}" (${object.apiVersion ?? "no apiVersion"})`);
}
