/**
 * How the generator refuses.
 *
 * @module
 */

/** Something in a zod schema that a CRD cannot express. */
export class InexpressibleError extends Error {
  override readonly name = "InexpressibleError";

  /**
   * @param path the field, for instance `spec.env[].name`
   * @param reason what has no form, and what has one
   */
  constructor(path: string, reason: string) {
    super(`Cannot express ${path} in a CRD: ${reason}`);
  }
}
