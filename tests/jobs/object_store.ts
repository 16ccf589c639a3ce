/**
 * A real store that speaks S3, on a free port of loopback: the Versity S3 Gateway over a temporary folder, built once
 * from its Go module. It answers nobody but who signs with AWS Signature Version 4.
 *
 * @module
 */
import { join } from "node:path";
import { cached } from "../cache.ts";
import { waitFor } from "../wait.ts";
import { endServer, freePort, run, spawnServer, writeLog } from "./server_process.ts";

const PACKAGE = "github.com/versity/versitygw/cmd/versitygw";
const VERSION = "v1.8.0";

/** See the module. */
export class ObjectStore implements AsyncDisposable {
  readonly accessKeyId = "AKIA-TEST";
  /** With what a shell, a configuration file or a URL would read otherwise. */
  readonly secretAccessKey = 'a/b+c="d"\\e $(f):%41';
  readonly endpoint: string;
  readonly #folder: string;
  readonly #child: Deno.ChildProcess;

  private constructor(program: string, folder: string) {
    const address = `127.0.0.1:${freePort()}`;
    const login = [`--access=${this.accessKeyId}`, `--secret=${this.secretAccessKey}`];
    // What the store knows of an object is kept beside it: not every file system has extended attributes.
    const backend = ["posix", `--sidecar=${join(folder, "known")}`, join(folder, "buckets")];
    this.endpoint = `http://${address}`;
    this.#folder = folder;
    this.#child = spawnServer([program, `--port=${address}`, "--quiet", ...login, ...backend]);
    void writeLog(this.#child, join(folder, "log"));
  }

  /** @param bucket one that is there from the beginning. @throws {Error} when it cannot be built or does not start */
  static async start(bucket: string): Promise<ObjectStore> {
    const program = join(await cached("versitygw", VERSION, build), "versitygw");
    const folder = await Deno.makeTempDir({ prefix: "maquette-store-" });
    await Deno.mkdir(join(folder, "buckets", bucket), { recursive: true });
    await Deno.mkdir(join(folder, "known"));
    const store = new ObjectStore(program, folder);
    await waitFor("the store to answer", async () => {
      const response = await fetch(store.endpoint);
      await response.body?.cancel();
      return response.status;
    });
    return store;
  }

  /** Files of a bucket's folder, sorted: the store keeps each object as one. @param path `<bucket>/<prefix>` */
  async objects(path: string): Promise<string[]> {
    const folder = join(this.#folder, "buckets", path);
    const files: string[] = [];
    try {
      for await (const { name, isFile } of Deno.readDir(folder)) if (isFile) files.push(join(folder, name));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return files.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endServer(this.#child, "SIGKILL");
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function build(folder: string): Promise<void> {
  const env = { CGO_ENABLED: "0", GOBIN: folder, GOFLAGS: "-trimpath" };
  await run(["go", "install", "-ldflags=-s -w", `${PACKAGE}@${VERSION}`], { env });
}
