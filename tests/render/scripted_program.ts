/**
 * A program of the shell in the place of the renderer.
 *
 * @module
 */

/** A program that runs a script; `$1` is the command, standard input the request. */
export class ScriptedProgram implements AsyncDisposable {
  private constructor(readonly path: string, readonly folder: string) {}

  static async make(script: string): Promise<ScriptedProgram> {
    const folder = await Deno.makeTempDir({ prefix: "maquette-render-" });
    const path = `${folder}/program`;
    await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return new ScriptedProgram(path, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}
