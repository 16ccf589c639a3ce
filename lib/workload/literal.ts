/**
 * Texts that a kubelet shall leave as they are.
 *
 * @module
 */

/** A text for a command, an argument or a variable: the kubelet would put variables in the place of `$(NAME)`. */
export function literal(text: string): string {
  return text.replaceAll("$", () => "$$");
}
