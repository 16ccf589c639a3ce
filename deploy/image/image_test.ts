import assert from "node:assert/strict";
import { unpackTar } from "modern-tar";
import { buildImage, type ImageOptions, readEntry } from "./image.ts";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "maquette-image-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function web(folder: string): Promise<ImageOptions> {
  await Deno.writeTextFile(`${folder}/web`, "program");
  return {
    layers: [{ title: "web", entries: [await readEntry(`${folder}/web`, { path: "web", mode: 0o555 })] }],
    config: { user: "65532:65532", entrypoint: ["/web"] },
    name: "web:v1",
    output: `${folder}/web.tar`,
  };
}

Deno.test("buildImage() writes an archive, says what is in it, and leaves nothing beside it", () =>
  withFolder(async (folder) => {
    const options = await web(folder);
    const { layers: [layer], digest, ...summary } = await buildImage(options);
    const { size } = await Deno.stat(options.output);
    assert.deepEqual({ ...summary, size: summary.size > 0 && summary.size < size }, {
      name: "docker.io/library/web:v1",
      files: 1,
      size: true,
      output: options.output,
    });
    assert.match(digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(layer?.title, "web");
    const entries = await unpackTar(await Deno.readFile(options.output));
    const names = entries.map(({ header }) => header.name).filter((name) => !name.startsWith("blobs/"));
    assert.deepEqual(names, ["oci-layout", "index.json", "manifest.json"]);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["web", "web.tar"]);
  }));

Deno.test("buildImage() writes the same bytes again", () =>
  withFolder(async (folder) => {
    const options = await web(folder);
    await buildImage(options);
    const first = await Deno.readFile(options.output);
    await buildImage(options);
    assert.deepEqual(await Deno.readFile(options.output), first);
  }));

Deno.test("buildImage() leaves the old archive when it fails", () =>
  withFolder(async (folder) => {
    const options = await web(folder);
    await Deno.writeTextFile(options.output, "old");
    await assert.rejects(buildImage({ ...options, name: "web" }), /a tag is missing/);
    assert.equal(await Deno.readTextFile(options.output), "old");
  }));
