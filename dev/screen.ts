/**
 * What the demo shows: a table that is drawn over itself on a terminal, plain lines elsewhere.
 *
 * @module
 */

const encoder = new TextEncoder();
const FALLBACK_COLUMNS = 160;

/** See the module. */
export class Screen {
  readonly #isTerminal = Deno.stdout.isTerminal();
  #drawn = 0;
  #last = "";

  /** Prints lines. */
  say(...lines: string[]): void {
    Deno.stdout.writeSync(encoder.encode(`${lines.join("\n")}\n`));
  }

  /** Draws a table over the one before, or prints the rows that changed. */
  table(head: string[], rows: string[][]): void {
    const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
    const lines = [head, ...rows].map((row) =>
      row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()
    );
    const text = lines.join("\n");
    if (text === this.#last) return;
    if (this.#isTerminal) this.#redraw(lines);
    else this.say(...lines.slice(1).filter((line) => !this.#last.split("\n").includes(line)));
    this.#last = text;
  }

  /** The next table is a new one. */
  endTable(): void {
    this.#drawn = 0;
    this.#last = "";
  }

  #redraw(lines: string[]): void {
    const columns = this.#columns();
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : "";
    this.say(up + lines.map((line) => `\x1b[2K${line.slice(0, columns)}`).join("\n"));
    this.#drawn = lines.length;
  }

  #columns(): number {
    try {
      return Deno.consoleSize().columns;
    } catch {
      return FALLBACK_COLUMNS;
    }
  }
}
