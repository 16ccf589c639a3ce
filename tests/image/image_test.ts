/**
 * The image as it would run: its layers unpacked, and the program in them started as the image says, with a read-only
 * root and without any other file of this machine. Needs `dist/maquette`, Debian's tools and, for the start, root.
 */
import assert from "node:assert/strict";
import { unpackTar } from "modern-tar";
import { buildMaquetteImage } from "../../deploy/image/build.ts";
import { ensureRenderer } from "../../render/build.ts";
import { BINARY, CONFIG } from "../../deploy/image/maquette_image.ts";
import { VERSION } from "../../lib/version.ts";

const BINARY_ON_DISK = new URL("../../dist/maquette", import.meta.url).pathname;
/** A container's root and environment: nothing but the image's and /proc, and nothing of it writable. */
const IN_ROOT = `set -e; root=$1; user=$2; shift 2
mkdir -p "$root/proc"; mount --bind "$root" "$root"; mount -o remount,ro,bind "$root"
mount -t proc proc "$root/proc"; exec env -i ${
  CONFIG.env!.join(" ")
} /usr/sbin/chroot --userspec="$user" --groups= "$root" "$@"`;

interface Result {
  success: boolean;
  out: string;
  err: string;
}

async function run(program: string, args: string[]): Promise<Result> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { success, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

class Unpacked implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async build(): Promise<Unpacked> {
    const folder = await Deno.makeTempDir({ prefix: "maquette-image-" });
    await Deno.chmod(folder, 0o755);
    const output = `${folder}/image.tar`;
    const renderer = await ensureRenderer();
    const { layers } = await buildMaquetteImage({ binary: BINARY_ON_DISK, renderer, output, name: "maquette:test" });
    await Deno.mkdir(`${folder}/root`);
    const blobs = await unpackTar(await Deno.readFile(output));
    for (const { digest } of layers) {
      const blob = blobs.find(({ header }) => header.name === `blobs/${digest.replace(":", "/")}`);
      await Deno.writeFile(`${folder}/layer.tar.gz`, blob!.data!);
      const tar = await run("tar", ["xzpf", `${folder}/layer.tar.gz`, "-C", `${folder}/root`]);
      assert.ok(tar.success, tar.err);
    }
    return new Unpacked(folder);
  }

  /** Starts a program in it, in namespaces that end with it. */
  start(...command: string[]): Promise<Result> {
    const namespaces = ["--mount", "--pid", "--fork", "--net"];
    return run("unshare", [...namespaces, "sh", "-c", IN_ROOT, "sh", `${this.#folder}/root`, CONFIG.user, ...command]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

const answers: Record<string, [args: string[], answer: RegExp]> = {
  "says its version": [["version"], new RegExp(`^maquette ${VERSION.replaceAll(".", "\\.")} `)],
  "helps": [["--help"], /^Usage: maquette /m],
  "prints its CRDs": [["crds"], /^kind: CustomResourceDefinition$/m],
  "prints its manifests": [["manifests"], /^kind: Deployment$/m],
};

Deno.test({
  name: "the image's program starts from the image's files alone, as its user, on a read-only root",
  ignore: Deno.uid() !== 0,
  fn: async (test) => {
    await using image = await Unpacked.build();
    for (const [name, [args, answer]] of Object.entries(answers)) {
      await test.step(`it ${name}`, async () => {
        const { success, out, err } = await image.start(BINARY, ...args);
        assert.ok(success, err);
        assert.match(out, answer);
      });
    }
    for (const shell of ["/bin/sh", "/bin/bash", "/bin/busybox", "/usr/bin/env", "/usr/bin/dpkg"]) {
      await test.step(`there is no ${shell}`, async () => {
        const { err } = await image.start(shell);
        assert.match(err, /No such file or directory/);
      });
    }
  },
});
