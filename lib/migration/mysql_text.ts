/**
 * What a server of the MySQL family makes of a script that it is sent as a whole. Pure.
 *
 * @module
 */

/** Quoted texts, comments, what ends a statement or stands between words; `/*!` begins no comment, but SQL. */
const PIECES =
  /(?<kept>'[^'\\]*(?:(?:\\.|'')[^'\\]*)*(?:'|$)|"[^"\\]*(?:(?:\\.|"")[^"\\]*)*(?:"|$)|`[^`]*`)|(?:#|--(?=\s|$))[^\n]*|\/\*(?!M?!)[\s\S]*?\*\/|[\s;]+|(?<other>[^'"`#\-/\s;]+|.)/gs;

/** A statement that does nothing. */
const NOTHING = "DO 0";

/**
 * The script up to the end of its last statement, without the semicolon: the server refuses a comment behind that as an
 * empty query.
 */
export function upToLastStatement(sql: string): string {
  let end = 0;
  for (const { 0: piece, index, groups } of sql.matchAll(PIECES)) {
    if (groups?.kept !== undefined || groups?.other !== undefined) end = index + piece.length;
  }
  return end === 0 ? NOTHING : sql.slice(0, end);
}
