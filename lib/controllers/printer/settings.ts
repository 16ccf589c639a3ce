/**
 * What the operator's configuration says about Printers.
 *
 * @module
 */

export interface PrinterSettings {
  /** Image that Printers print with unless they name one; it must have `printf`. */
  image: string;
}
