/**
 * Kaniko's executor from its Go module, in an image like its own: for clusters that cannot pull that one.
 *
 * @module
 */
import { run } from "../../deploy/image/debian.ts";
import { buildImage, readEntry } from "../../deploy/image/image.ts";
import { cached } from "../cache.ts";

/** Name and tag of the image. */
export const KANIKO = "maquette-e2e-kaniko:1";

const MODULE = "github.com/GoogleContainerTools/kaniko";
const VERSION = "v1.24.0";
const CONFIG = {
  user: "0:0",
  entrypoint: ["/kaniko/executor"],
  env: ["HOME=/root", "USER=root", "PATH=/usr/local/bin:/kaniko", "SSL_CERT_DIR=/kaniko/ssl/certs"],
};

/** @param folder for the archive. @returns Its path. */
export async function kanikoImage(folder: string): Promise<string> {
  const executor = await cached("kaniko", VERSION, build);
  const entries = [
    await readEntry(executor, { path: "kaniko/executor", mode: 0o755 }),
    await readEntry("/etc/ssl/certs/ca-certificates.crt", {
      path: "kaniko/ssl/certs/ca-certificates.crt",
      mode: 0o644,
    }),
  ];
  const output = `${folder}/kaniko.tar`;
  await buildImage({ layers: [{ title: "kaniko", entries }], config: CONFIG, name: KANIKO, output });
  return output;
}

/** With the versions of its own go.mod, which a module that requires it would not have. */
async function build(executor: string): Promise<void> {
  const found = await run("go", ["mod", "download", "-json", `${MODULE}@${VERSION}`]);
  const { Dir: source } = JSON.parse(new TextDecoder().decode(found));
  const version = `-X ${MODULE}/pkg/version.version=${VERSION}`;
  const env = { CGO_ENABLED: "0", GOWORK: "off" };
  const args = [
    "build",
    "-mod=readonly",
    "-trimpath",
    "-ldflags",
    `-s -w ${version}`,
    "-o",
    executor,
    "./cmd/executor",
  ];
  const { success, stderr } = await new Deno.Command("go", { args, cwd: source, env }).output();
  if (!success) throw new Error(`Cannot build Kaniko: ${new TextDecoder().decode(stderr)}`);
}
