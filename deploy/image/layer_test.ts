import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { unpackTar } from "modern-tar";
import { arrange, digestOf, type Entry, packLayer } from "./layer.ts";

const hello: Entry = { type: "file", path: "usr/bin/hello", mode: 0o555, data: new TextEncoder().encode("hello") };
const link: Entry = { type: "link", path: "lib", target: "usr/lib" };
const tmp: Entry = { type: "directory", path: "tmp", mode: 0o1777 };

Deno.test("arrange() sorts and adds the folders above", () => {
  assert.deepEqual(arrange([tmp, hello, link]).map(({ type, path }) => `${type} ${path}`), [
    "link lib",
    "directory tmp",
    "directory usr",
    "directory usr/bin",
    "file usr/bin/hello",
  ]);
});

Deno.test("arrange() keeps a folder as it was given", () => {
  const [home] = arrange([{ type: "file", path: "home/a", mode: 0o644, data: new Uint8Array() }, {
    type: "directory",
    path: "home",
    mode: 0o700,
    owner: 7,
  }]);
  assert.deepEqual(home, { type: "directory", path: "home", mode: 0o700, owner: 7 });
});

const refused: Record<string, [entries: Entry[], message: RegExp]> = {
  "one path twice": [[tmp, tmp], /twice: "tmp"/],
  "a file below a link": [[link, { ...hello, path: "lib/x" }], /"lib" is a link/],
  "an absolute path": [[{ ...hello, path: "/x" }], /"\/x" is not a plain relative path/],
  "a way out": [[{ ...hello, path: "a/../../x" }], /not a plain relative path/],
};

for (const [name, [entries, message]] of Object.entries(refused)) {
  Deno.test(`arrange() refuses ${name}`, () => {
    assert.throws(() => arrange(entries), message);
  });
}

Deno.test("packLayer() gives the same digest whatever the order", async () => {
  const [one, two] = [await packLayer("a", [hello, tmp, link]), await packLayer("a", [link, tmp, hello])];
  assert.equal(one.digest, two.digest);
  assert.equal(one.diffId, two.diffId);
});

Deno.test("packLayer() names blob and tar by their digests, and counts what is no folder", async () => {
  const layer = await packLayer("a", [hello, tmp, link]);
  assert.equal(layer.digest, digestOf(layer.blob));
  assert.equal(layer.diffId, digestOf(gunzipSync(layer.blob)));
  assert.equal(layer.files, 2);
});

Deno.test("packLayer() writes modes, targets, owners by number and no time", async () => {
  const home: Entry = { type: "directory", path: "home", mode: 0o700, owner: 65532 };
  const { blob } = await packLayer("a", [hello, link, home]);
  const found = await unpackTar(gunzipSync(blob));
  const rows = found.map(({ header: { type, name, mode, uid, gid, uname, mtime, linkname } }) =>
    [type, name, mode?.toString(8), uid, gid, uname || "-", mtime?.getTime(), linkname || "-"].join(" ")
  );
  assert.deepEqual(rows, [
    "directory home/ 700 65532 65532 - 0 -",
    "symlink lib 777 0 0 - 0 usr/lib",
    "directory usr/ 755 0 0 - 0 -",
    "directory usr/bin/ 755 0 0 - 0 -",
    "file usr/bin/hello 555 0 0 - 0 -",
  ]);
  assert.equal(new TextDecoder().decode(found.at(-1)?.data), "hello");
});

Deno.test("packLayer() keeps names that are longer than a tar header", async () => {
  const path = `${"a".repeat(120)}/${"b".repeat(180)}`;
  const { blob } = await packLayer("a", [{ type: "link", path, target: "c".repeat(200) }]);
  const { header } = (await unpackTar(gunzipSync(blob))).at(-1)!;
  assert.equal(header.name, path);
  assert.equal(header.linkname, "c".repeat(200));
});
