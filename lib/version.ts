/** The version of this program, as `maquette version` and the image tag say it. */
export const VERSION = "0.1.0";
