/**
 * Where in a script an error is, for tools that say no line. Pure.
 *
 * PostgreSQL counts characters from the beginning of the statement, and its driver takes a script apart at semicolons.
 * Which statement it was is found by the word that the error quotes. MySQL and MariaDB say no more than such a word, or
 * what stands behind the error.
 *
 * @module
 */
import { piecesWith } from "./postgres_text.ts";

const SEMICOLONS = piecesWith(";");

/** What MySQL quotes: the rest of the script, as far as it shows that, or a name. */
const MYSQL_REST = /for the right syntax to use near '([\s\S]+?)(?:\.\.\.)?' at line \d+/;
const MYSQL_NAME = /\b(?:[Tt]able|column|column name|key name) '(?:[^']*\.)?([^'.]+)'/;

/** @returns The line, from 1 on; nothing where the error does not tell it, or fits several lines. */
export function lineOf(sql: string, error: string): number | undefined {
  const rest = MYSQL_REST.exec(error)?.[1];
  const name = MYSQL_NAME.exec(error)?.[1];
  const places = rest
    ? placesOf(sql, rest)
    : name
    ? placesOf(sql, name).filter((at) => !isWithin(sql, at, name))
    : postgresPlaces(sql, error);
  const lines = new Set(places.map((at) => sql.slice(0, at).split("\n").length));
  return lines.size === 1 ? [...lines][0] : undefined;
}

function placesOf(sql: string, text: string): number[] {
  const places: number[] = [];
  for (let at = sql.indexOf(text); at >= 0; at = sql.indexOf(text, at + 1)) places.push(at);
  return places;
}

/** Whether it is part of a longer word. */
function isWithin(sql: string, at: number, word: string): boolean {
  return /\w/.test(sql.charAt(at - 1) + sql.charAt(at + word.length));
}

function postgresPlaces(sql: string, error: string): number[] {
  const position = Number(/Position: (\d+)/.exec(error)?.[1] ?? NaN);
  const word = /(?:at or near|relation|column|function|type|schema|table|constraint) "?([^"\s(]+)/.exec(error)?.[1];
  if (Number.isNaN(position) || word === undefined) return [];
  const starts = statementStarts(sql);
  return starts.map((start) => start + position - 1).filter((at) => sql.startsWith(word, at + quoteAt(sql, at)));
}

function quoteAt(sql: string, at: number): number {
  return sql[at] === '"' ? 1 : 0;
}

function statementStarts(sql: string): number[] {
  const ends = [...sql.matchAll(SEMICOLONS)].filter(([piece]) => piece === ";").map(({ index }) => index + 1);
  return [0, ...ends];
}
