import assert from "node:assert/strict";
import { digestOf, type Entry, type Layer, packLayer } from "./layer.ts";
import { assembleImage, type Image, type ImageConfig } from "./oci.ts";

const CONFIG: ImageConfig = { user: "65532:65532", entrypoint: ["/web"], labels: { a: "b" } };

async function layers(): Promise<Layer[]> {
  const file = (path: string): Entry => ({ type: "file", path, mode: 0o644, data: new TextEncoder().encode(path) });
  return [await packLayer("below", [file("a")]), await packLayer("above", [file("b")])];
}

async function assemble(name = "web:v1", config = CONFIG): Promise<Image> {
  return assembleImage({ layers: await layers(), config, name, architecture: "amd64" });
}

function read({ entries }: Image, path: string): Uint8Array {
  const entry = entries.find((found) => found.path === path);
  assert.ok(entry?.type === "file", path);
  return entry.data;
}

// deno-lint-ignore no-explicit-any -- what others read is untyped
function json(image: Image, path: string): any {
  return JSON.parse(new TextDecoder().decode(read(image, path)));
}

function blob(image: Image, digest: string): Uint8Array {
  return read(image, `blobs/sha256/${digest.slice("sha256:".length)}`);
}

Deno.test("assembleImage() leads from the index to every blob, each with its size and digest", async () => {
  const image = await assemble();
  assert.deepEqual(json(image, "oci-layout"), { imageLayoutVersion: "1.0.0" });
  const [index] = json(image, "index.json").manifests;
  assert.equal(index.digest, image.digest);
  const manifest = JSON.parse(new TextDecoder().decode(blob(image, index.digest)));
  for (const { digest, size } of [index, manifest.config, ...manifest.layers]) {
    assert.equal(digestOf(blob(image, digest)), digest);
    assert.equal(blob(image, digest).length, size);
  }
  assert.equal(image.size, manifest.layers[0].size + manifest.layers[1].size + manifest.config.size + index.size);
});

Deno.test("assembleImage() writes how a container runs, and the layers from the bottom up", async () => {
  const image = await assemble();
  const manifest = JSON.parse(new TextDecoder().decode(blob(image, image.digest)));
  const config = JSON.parse(new TextDecoder().decode(blob(image, manifest.config.digest)));
  assert.deepEqual(config.config, {
    User: "65532:65532",
    Env: [],
    Entrypoint: ["/web"],
    WorkingDir: "/",
    Labels: { a: "b" },
  });
  assert.deepEqual([config.architecture, config.os, config.created], ["amd64", "linux", "1970-01-01T00:00:00Z"]);
  assert.deepEqual(config.rootfs.diff_ids, (await layers()).map(({ diffId }) => diffId));
  assert.deepEqual(config.history.map((step: { created_by: string }) => step.created_by), ["below", "above"]);
  assert.deepEqual(manifest.layers.map((layer: Layer) => layer.digest), (await layers()).map(({ digest }) => digest));
});

Deno.test("assembleImage() is found by containerd, by readers of OCI layouts and by old versions of Docker", async () => {
  const image = await assemble();
  assert.deepEqual(json(image, "index.json").manifests[0].annotations, {
    "io.containerd.image.name": "docker.io/library/web:v1",
    "org.opencontainers.image.ref.name": "v1",
  });
  const [docker] = json(image, "manifest.json");
  assert.deepEqual(docker.RepoTags, ["docker.io/library/web:v1"]);
  for (const path of [docker.Config, ...docker.Layers]) assert.ok(read(image, path).length > 0);
});

const names: Record<string, string> = {
  "web:v1": "docker.io/library/web:v1",
  "acme/web:v1": "docker.io/acme/web:v1",
  "docker.io/library/web:v1": "docker.io/library/web:v1",
  "registry.local:5000/web:v1": "registry.local:5000/web:v1",
};

for (const [written, meant] of Object.entries(names)) {
  Deno.test(`assembleImage() names "${written}" in full`, async () => {
    assert.equal((await assemble(written)).name, meant);
  });
}

const refused: Record<string, RegExp> = {
  "web": /"web": a tag is missing/,
  "Web:v1": /Cannot name an image "Web:v1": /,
};

for (const [name, message] of Object.entries(refused)) {
  Deno.test(`assembleImage() refuses the name "${name}"`, async () => {
    await assert.rejects(assemble(name), message);
  });
}

Deno.test("assembleImage() gives another digest to another configuration only", async () => {
  const other = { ...CONFIG, command: ["run"] };
  assert.equal((await assemble()).digest, (await assemble("acme/web:v2")).digest);
  assert.notEqual((await assemble()).digest, (await assemble("web:v1", other)).digest);
});

Deno.test("assembleImage() stores a layer that is there twice once", async () => {
  const [layer] = await layers();
  const image = assembleImage({ layers: [layer!, layer!], config: CONFIG, name: "web:v1", architecture: "arm64" });
  assert.equal(new Set(image.entries.map(({ path }) => path)).size, image.entries.length);
});
