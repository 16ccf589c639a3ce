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
  #last: string[] = [];

  /** Prints lines. */
  say(...lines: string[]): void {
    Deno.stdout.writeSync(encoder.encode(`${lines.join("\n")}\n`));
  }

  /** Draws a table over the one before, or prints the rows that changed. */
  table(head: string[], rows: string[][]): void {
    const shown = rows.map((row) => row.join("\t"));
    const news = rows.filter((_, index) => !this.#last.includes(shown[index]!));
    if (news.length === 0) return;
    if (this.#isTerminal) this.#redraw(aligned([head, ...rows]));
    else this.say(...aligned(news));
    this.#last = shown;
  }

  /** The next table is a new one. */
  endTable(): void {
    this.#drawn = 0;
    this.#last = [];
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

function aligned(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd());
}
