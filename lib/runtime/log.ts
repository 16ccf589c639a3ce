/**
 * Structured logs: a constant message and fields, one JSON object (or one line of text) each, on standard error.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = typeof LOG_LEVELS[number];
export type LogFields = Record<string, unknown>;

/** Where messages go. Messages are constant; what varies is a field. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every message. */
  with(fields: LogFields): Logger;
}

/** @param write Takes one finished line, without its end. */
export function createLogger(
  options: { clock: Clock; level: LogLevel; format: "json" | "text"; write: (line: string) => void },
  bound: LogFields = {},
): Logger {
  const least = LOG_LEVELS.indexOf(options.level);
  function emit(level: LogLevel, message: string, fields?: LogFields): void {
    if (LOG_LEVELS.indexOf(level) < least) return;
    const time = new Date(options.clock.now()).toISOString();
    const all = { ...bound, ...fields };
    options.write(
      options.format === "json"
        ? JSON.stringify({ time, level, message, ...plain(all) })
        : [time, level.toUpperCase().padEnd(5), message, ...Object.entries(plain(all)).map(textField)].join(" "),
    );
  }
  return {
    debug: (message, fields) => emit("debug", message, fields),
    info: (message, fields) => emit("info", message, fields),
    warn: (message, fields) => emit("warn", message, fields),
    error: (message, fields) => emit("error", message, fields),
    with: (fields) => createLogger(options, { ...bound, ...fields }),
  };
}

function textField([name, value]: [string, unknown]): string {
  return `${name}=${typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`;
}

/** Errors have no enumerable fields: without this they would print as `{}`. */
function plain(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? value.message : value]),
  );
}

/** Says nothing. */
export const silentLogger: Logger = Object.freeze({
  debug(): void {},
  info(): void {},
  warn(): void {},
  error(): void {},
  with(): Logger {
    return silentLogger;
  },
});
