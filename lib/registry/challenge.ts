/**
 * What a registry wants to know of who asks: the header `WWW-Authenticate` (RFC 9110, section 11.6.1). Pure.
 *
 * @module
 */

/** One challenge; the scheme and the names of parameters in lower case. */
export interface Challenge {
  scheme: string;
  parameters: ReadonlyMap<string, string>;
}

/** Headers of servers take some hundred characters: what is longer is not read. */
const MAX_LENGTH = 8192;
const TOKEN = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
/**
 * `name=value` or `name="value"`. A bare value may hold more than the grammar says (`realm=https://host/token`):
 * distribution's own parser takes that, too.
 */
const PARAMETER = new RegExp(`\\s*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s",]+))\\s*(?:,|$)`, "y");
const SCHEME = new RegExp(`[\\s,]*(${TOKEN})(?=\\s|,|$)\\s*`, "y");

/**
 * The challenges of a header, which may hold several, in the order in which they stand.
 *
 * @returns what could be read up to the first thing that follows no grammar
 * @example
 * ```ts
 * challenges('Bearer realm="https://auth.example.com/token",service="registry"')[0]?.parameters.get("service"); // "registry"
 * ```
 */
export function challenges(header: string): Challenge[] {
  const text = header.slice(0, MAX_LENGTH);
  const all: Challenge[] = [];
  let at = 0;
  while (at < text.length) {
    SCHEME.lastIndex = at;
    const match = SCHEME.exec(text);
    if (match === null) break;
    const { parameters, end } = parametersFrom(text, SCHEME.lastIndex);
    all.push({ scheme: match[1]!.toLowerCase(), parameters });
    at = end;
  }
  return all;
}

function parametersFrom(text: string, start: number): { parameters: Map<string, string>; end: number } {
  const parameters = new Map<string, string>();
  let end = start;
  for (;;) {
    PARAMETER.lastIndex = end;
    const match = PARAMETER.exec(text);
    if (match === null) return { parameters, end };
    const [, name = "", quoted, bare = ""] = match;
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? bare);
    end = PARAMETER.lastIndex;
  }
}
