/**
 * What PostgreSQL's driver makes of a script that it prepares. Pure.
 *
 * @module
 */

/** Quoted texts and comments, in which it looks for nothing, and question marks. */
const PIECES =
  /E'(?:[^'\\]|\\.|'')*'|'[^']*'|"[^"]*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|\?/gis;

/** The script with question marks as the driver wants operators of jsonb written: one alone is a parameter to it. */
export function withoutParameters(sql: string): string {
  return sql.replace(PIECES, (piece) => piece === "?" ? "??" : piece);
}
