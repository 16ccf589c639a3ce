/**
 * Fields that the kinds of the group `portfolio.example.com` share: databases and their credentials, texts by names.
 *
 * @module
 */
import { z } from "zod";
import { matching, objectName, text, textWithoutNul } from "./fields.ts";
import { type Rule, withKeywords, withRules } from "./rules.ts";

const KEY_PATTERN = "^[-._a-zA-Z0-9]+$";
const HOST_PATTERN = "^([a-zA-Z0-9]([-._a-zA-Z0-9]*[a-zA-Z0-9])?|\\[?[0-9a-fA-F:.]+\\]?)$";
const DATABASE_NAME_PATTERN = "^[^\\x00-\\x1f\\x7f]+$";

/** A key of a Secret or ConfigMap. */
export function dataKey(): z.ZodString {
  return matching(KEY_PATTERN, { max: 253, message: "Must be a key: letters, digits, -, _ and dots" });
}

/** What a map's names must be, and how many it may have. */
export interface MapBounds {
  /** As RE2 and ECMAScript both read it, without quotes. */
  names: string;
  /** `Must …` */
  message: string;
  max: number;
  /** Most characters of a value. */
  length: number;
}

/** Texts by names of a shape. The names have no form of their own in a CRD: a rule says it. */
export function textMap({ names, message, max, length }: MapBounds): z.ZodRecord<z.ZodString, z.ZodString> {
  const compiled = new RegExp(names);
  const rule: Rule<Record<string, string>> = {
    cel: `self.all(name, name.matches(r'${names}'))`,
    holds: (value) => Object.keys(value).every((name) => compiled.test(name)),
    message,
  };
  const bounded = withKeywords(z.record(z.string(), textWithoutNul(length)), {
    keywords: { maxProperties: max },
    broken: (value) => Object.keys(value).length > max ? [[]] : [],
    message: `Must have at most ${max} entries`,
  });
  return withRules(bounded, rule);
}

/** Where the login for a database is. Never written out: containers get it by reference. */
export const databaseSecret = z.object({
  name: objectName().describe("Name of a Secret in the namespace of this object."),
  usernameKey: dataKey().default("username").describe("Its key with the user's name."),
  passwordKey: dataKey().default("password").describe("Its key with the password."),
});

/** Fields that say which database is meant. */
export const databaseFields = {
  host: matching(HOST_PATTERN, { max: 253, message: "Must be a host name or an IP address" })
    .describe("Host of the database server, for instance db.shop.svc."),
  port: z.int().min(1).max(65_535).default(5432).describe("Port of the database server."),
  name: matching(DATABASE_NAME_PATTERN, { max: 63, message: "Must be a name without control characters" })
    .describe("Name of the database."),
  secretRef: databaseSecret.describe("Login for the database."),
};

/** A database and its login. */
export const database = z.object(databaseFields);

/** `database` of a spec, defaults filled in. */
export type Database = z.output<typeof database>;

/** A name of a file or folder in an archive's place, without slashes. */
export function fileName(): z.ZodString {
  return matching("^[a-zA-Z0-9][-._a-zA-Z0-9]*$", {
    max: 200,
    message: "Must be a file name: letters, digits, -, _ and dots, beginning with a letter or digit",
  });
}

/** A short text of a status. */
export function statusText(): z.ZodString {
  return text(0, 1024);
}
