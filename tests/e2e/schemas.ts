/**
 * The migrations of end-to-end tests.
 *
 * @module
 */
import type { MigrationText } from "../migrations/lab.ts";

const BEGINNING: MigrationText[] = [
  { version: "1", sql: "CREATE TABLE person (id serial PRIMARY KEY, name text NOT NULL);" },
  { version: "1.9", sql: "INSERT INTO person (name) VALUES ('first');" },
  { version: "1.10", sql: "INSERT INTO person (name) VALUES ('second'); -- comment" },
];
const EMAIL = "ALTER TABLE person\n  ADD COLUMN email text;\n";

/** Three versions, and a fourth that does not go through until it is mended. */
export const PERSONS = {
  failing: [...BEGINNING, { version: "2.0", sql: `${EMAIL}INSERT INTO nobody VALUES (1);` }],
  mended: [...BEGINNING, { version: "2.0", sql: EMAIL }],
};

/** Each takes its time and leaves its version in table `run`. */
export const FIVE: MigrationText[] = ["1", "2", "3", "4", "5"].map((version) => ({
  version,
  sql: `${version === "1" ? "CREATE TABLE run (version text); " : ""}INSERT INTO run VALUES ('${version}'); ` +
    "SELECT pg_sleep(4);",
}));

/** What the shop's first version needs. */
export const ITEMS: MigrationText[] = [{
  version: "1",
  sql: "CREATE TABLE items (id bigserial PRIMARY KEY, name text NOT NULL);\nCREATE TABLE legacy ();",
}];

/** The second version calls a column otherwise: while both run, whatever one of them writes the other one reads. */
export const LABEL: MigrationText[] = [
  {
    version: "2",
    stage: "expand",
    sql: `SET LOCAL lock_timeout = '5s';
ALTER TABLE items ADD COLUMN label text;
CREATE FUNCTION items_both() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.label := coalesce(NEW.label, NEW.name);
  NEW.name := coalesce(NEW.name, NEW.label);
  RETURN NEW;
END $$;
CREATE TRIGGER items_both BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION items_both();`,
  },
  { version: "3", stage: "expand", sql: "UPDATE items SET label = name WHERE label IS NULL;" },
  {
    version: "4",
    stage: "contract",
    sql: `SET LOCAL lock_timeout = '5s';
DROP TRIGGER items_both ON items;
DROP FUNCTION items_both();
ALTER TABLE items DROP COLUMN name, ALTER COLUMN label SET NOT NULL;`,
  },
];

/** The same with a mistake in its second line. */
export const BAD_LABEL: MigrationText[] = [{
  version: "2",
  stage: "expand",
  sql: "ALTER TABLE items ADD COLUMN label text;\nUPDATE items SET label = nmae;",
}];

/** Comes after a rollout. */
export const DROP_LEGACY: MigrationText = { version: "5", stage: "contract", sql: "DROP TABLE legacy;" };
