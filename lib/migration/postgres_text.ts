/**
 * What PostgreSQL's driver makes of a script that it prepares. Pure.
 *
 * @module
 */

/** Quoted texts and comments, in which nothing is looked for. */
const QUOTED = /E'(?:[^'\\]|\\.|'')*'|'[^']*'|"[^"]*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$/;
const QUESTION_MARKS = piecesWith("\\?");

/** Finds a sign outside of quoted texts and comments; those are found, too, and are to be passed over. */
export function piecesWith(sign: string): RegExp {
  return new RegExp(`${QUOTED.source}|${sign}`, "gis");
}

/** The script with question marks as the driver wants operators of jsonb written: one alone is a parameter to it. */
export function withoutParameters(sql: string): string {
  return sql.replace(QUESTION_MARKS, (piece) => piece === "?" ? "??" : piece);
}
