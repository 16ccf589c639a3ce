/**
 * What end-to-end tests saw, for people to read: docs/end-to-end.md is one of these.
 *
 * @module
 */

/** Lines of one test file; written to `E2E_TRANSCRIPT`, where that is set, and always to the test's output. */
export class Transcript {
  readonly #path = Deno.env.get("E2E_TRANSCRIPT");

  /** A heading. */
  section(title: string): void {
    this.#write(`\n## ${title}\n\n`);
  }

  /** What was done or seen. */
  say(text: string): void {
    this.#write(`- ${text}\n`);
  }

  /** What was answered, word for word. */
  quote(question: string, answer: string): void {
    const lines = answer.trimEnd().split("\n").map((line) => `  ${line}`).join("\n");
    this.#write(`- \`${question}\`\n\n  \`\`\`\n${lines}\n  \`\`\`\n\n`);
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    Deno.stderr.writeSync(bytes);
    if (this.#path) Deno.writeFileSync(this.#path, bytes, { append: true });
  }
}
