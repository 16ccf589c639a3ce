import assert from "node:assert/strict";
import { FakeClock } from "./fake_clock.ts";
import { createLogger, LOG_LEVELS, type Logger, type LogLevel, silentLogger } from "./log.ts";

function logging(format: "json" | "text", level: LogLevel = "debug"): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  return { log: createLogger({ clock, level, format, write: (line) => lines.push(line) }), lines };
}

Deno.test("a JSON log is one object a line: time, level, message, fields", () => {
  const { log, lines } = logging("json");
  log.info("Started", { port: 8080, name: "a\nb" });
  assert.deepEqual(lines, [
    '{"time":"2026-01-01T00:00:00.000Z","level":"info","message":"Started","port":8080,"name":"a\\nb"}',
  ]);
});

Deno.test("a text log is one line, and quotes what would be misread", () => {
  const { log, lines } = logging("text");
  log.warn("Odd", { a: "plain", b: "two words", c: "line\nbreak", d: 'x="1"', e: { f: 1 }, g: "" });
  assert.deepEqual(lines, [
    '2026-01-01T00:00:00.000Z WARN  Odd a=plain b="two words" c="line\\nbreak" d="x=\\"1\\"" e={"f":1} g=',
  ]);
});

Deno.test("an error is logged by its message", () => {
  const { log, lines } = logging("json");
  log.error("Failed", { error: new TypeError("no route") });
  assert.equal(JSON.parse(lines[0]!).error, "no route");
});

Deno.test("what is below the level is not logged", () => {
  for (const [index, level] of LOG_LEVELS.entries()) {
    const { log, lines } = logging("json", level);
    for (const name of LOG_LEVELS) log[name]("x");
    assert.deepEqual(lines.map((line) => JSON.parse(line).level), LOG_LEVELS.slice(index));
  }
});

Deno.test("with() adds fields to every message, and leaves the first logger as it was", () => {
  const { log, lines } = logging("json");
  log.with({ kind: "Gadget" }).with({ name: "g" }).info("a", { name: "h" });
  log.info("b");
  const { kind, name } = JSON.parse(lines[0]!);
  assert.deepEqual([kind, name, JSON.parse(lines[1]!).kind], ["Gadget", "h", undefined]);
});

Deno.test("the silent logger says nothing, whatever is added to it", () => {
  for (const name of LOG_LEVELS) silentLogger.with({ a: 1 })[name]("x");
  assert.equal(silentLogger.with({}), silentLogger);
});
