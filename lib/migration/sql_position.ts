/**
 * Where in a script an error is, for tools that say no line. Pure.
 *
 * PostgreSQL counts characters from the beginning of the statement, and its driver takes a script apart at semicolons.
 * Which statement it was is found by the word that the error quotes.
 *
 * @module
 */

/** Quoted texts, comments and semicolons; `$tag$` quotes as well. */
const PIECES = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|;/g;

/** @returns The line, from 1 on; nothing where the error does not tell it, or fits several statements. */
export function lineOf(sql: string, error: string): number | undefined {
  const position = Number(/Position: (\d+)/.exec(error)?.[1] ?? NaN);
  const word = /(?:at or near|relation|column|function|type|schema|table|constraint) "?([^"\s(]+)/.exec(error)?.[1];
  if (Number.isNaN(position) || word === undefined) return undefined;
  const starts = statementStarts(sql);
  const fitting = starts.map((start) => start + position - 1).filter((at) =>
    sql.startsWith(word, at + quoteAt(sql, at))
  );
  const lines = new Set(fitting.map((at) => sql.slice(0, at).split("\n").length));
  return lines.size === 1 ? [...lines][0] : undefined;
}

function quoteAt(sql: string, at: number): number {
  return sql[at] === '"' ? 1 : 0;
}

function statementStarts(sql: string): number[] {
  const ends = [...sql.matchAll(PIECES)].filter(([piece]) => piece === ";").map(({ index }) => index + 1);
  return [0, ...ends];
}
