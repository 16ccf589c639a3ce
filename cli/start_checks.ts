/**
 * What must hold before the operator starts and no option says by itself: a broken image must be seen when it starts,
 * not when somebody makes the first Environment.
 *
 * @module
 */
import { optionsProblem } from "../lib/build/request.ts";
import { type Config, UsageError } from "../lib/config.ts";
import type { Renderer } from "../lib/render/renderer.ts";
import { buildSettings } from "./settings.ts";

/** @param caCertificates PEM. @throws {UsageError} Where builds could never run with this configuration. */
export function checkBuilds(config: Config, caCertificates: string): void {
  const problem = optionsProblem(buildSettings(config, caCertificates));
  if (problem !== undefined) throw new UsageError(`--registry-ca-file: ${problem}`);
}

/** Has the renderer do nothing. @throws {UsageError} Where it is not there, or answers something else than was agreed. */
export async function checkRenderer(config: Config, renderer: Pick<Renderer, "forget">): Promise<void> {
  try {
    await renderer.forget({ cacheDir: config.sourceCache, paths: [] });
  } catch (error) {
    const mend = 'maquette-render of this very release must be in $PATH: the image has it, "deno task render" makes it';
    throw new UsageError(`--renderer: ${(error as Error).message}; ${mend}`);
  }
}
