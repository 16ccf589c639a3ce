/**
 * What a request asks of the scripted API server.
 *
 * @module
 */
import type { Author } from "./scripted_fields.ts";

/** One request, taken apart. */
export interface ScriptedRequest {
  /** As in metrics: get, list, watch, create, apply, apply-status, patch, update, delete. */
  verb: string;
  /** Plural, with the subresource behind a slash where there is one. */
  resource: string;
  /** `plural.group` */
  table: string;
  namespace?: string;
  name: string;
  /** `namespace/name`, or the name alone. */
  key: string;
  path: string;
  query: Record<string, string>;
  accept: string;
  body: unknown;
  author: Author;
  /** Server-side apply that takes over fields of others. */
  force: boolean;
}

const PATH = /^\/(?:api|apis\/(?<group>[^/]+))\/[^/]+(?:\/namespaces\/(?<namespace>[^/]+)(?=\/))?\/(?<rest>.+)$/;
/** Below one namespace these are no resources. */
const OF_NAMESPACES = new Set(["status", "finalize"]);

/** @param text The request's body. */
export function parseRequest(request: Request, text: string): ScriptedRequest {
  const url = new URL(request.url);
  const query = Object.fromEntries(url.searchParams);
  const groups = PATH.exec(url.pathname)?.groups ?? {};
  const rest = (groups.rest ?? "").split("/").map(decodeURIComponent);
  const isNamespaceItself = groups.namespace !== undefined && OF_NAMESPACES.has(rest[0]!);
  const namespace = isNamespaceItself ? undefined : groups.namespace;
  const [plural = "", name = "", subresource] = isNamespaceItself ? ["namespaces", groups.namespace, rest[0]] : rest;
  const isApply = request.headers.get("content-type") === "application/apply-patch+yaml";
  const verb = verbOf(request.method, { name, isWatch: query.watch === "true", isApply });
  return {
    verb: isApply && subresource ? `${verb}-${subresource}` : verb,
    resource: plural,
    table: `${plural}.${groups.group ?? ""}`,
    namespace,
    name,
    key: namespace ? `${namespace}/${name}` : name,
    path: url.pathname,
    query,
    accept: request.headers.get("accept") ?? "",
    body: text ? JSON.parse(text) : null,
    author: { manager: query.fieldManager ?? "unknown", operation: isApply ? "Apply" : "Update", subresource },
    force: query.force === "true",
  };
}

function verbOf(
  method: string,
  { name, isWatch, isApply }: { name: string; isWatch: boolean; isApply: boolean },
): string {
  if (method === "GET") return name ? "get" : isWatch ? "watch" : "list";
  if (method === "PATCH") return isApply ? "apply" : "patch";
  return { POST: "create", PUT: "update", DELETE: "delete" }[method] ?? method;
}
