import assert from "node:assert/strict";
import { type DebianPackage, documentedIn, fieldOf, mergedPath, packageEntries, textEntry } from "./debian_files.ts";
import type { Entry } from "./layer.ts";

const ARCH = "usr/lib/x86_64-linux-gnu";

function file(path: string, text = path): Entry {
  return textEntry(path, text);
}

function debianPackage(name: string, entries: Entry[], md5sums = ""): DebianPackage {
  return { name, version: "1", control: `Package: ${name}\nVersion: 1\n`, md5sums, entries };
}

const PACKAGES = [
  debianPackage("base-files", [
    file("etc/debian_version"),
    file("etc/issue"),
    file("usr/lib/os-release"),
    file("usr/share/common-licenses/GPL-3"),
    file("usr/share/base-files/profile"),
  ]),
  debianPackage("ca-certificates", [
    file("usr/sbin/update-ca-certificates"),
    file("usr/share/ca-certificates/mozilla/B.crt", "B"),
    file("usr/share/ca-certificates/mozilla/A.crt", "A\n"),
  ]),
  debianPackage(
    "libc6",
    [
      file(`${ARCH}/libc.so.6`),
      file(`${ARCH}/libm.so.6`),
      file(`${ARCH}/gconv/libJIS.so`),
      { type: "link", path: "usr/lib64/ld-linux-x86-64.so.2", target: `/${ARCH}/ld-linux-x86-64.so.2` },
      file(`${ARCH}/ld-linux-x86-64.so.2`),
      file("usr/share/doc/libc6/copyright"),
      file("usr/share/doc/libc6/changelog.gz"),
    ],
    [
      "00000000000000000000000000000001  lib/x86_64-linux-gnu/libc.so.6",
      "00000000000000000000000000000002  lib/x86_64-linux-gnu/libm.so.6",
      "",
    ].join("\n"),
  ),
  debianPackage("libgcc-s1", [{ type: "link", path: "usr/share/doc/libgcc-s1", target: "gcc-12-base" }]),
];

function textOf(entries: Entry[], path: string): string {
  const entry = entries.find((found) => found.path === path);
  assert.ok(entry?.type === "file", path);
  return new TextDecoder().decode(entry.data);
}

Deno.test("packageEntries() takes libraries that are asked for, copyright, licences and what names the Debian", () => {
  const paths = packageEntries(PACKAGES, ["ld-linux-x86-64.so.2", "libc.so.6"]).map(({ path }) => path);
  assert.deepEqual(paths.filter((path) => !path.startsWith("var/")).sort(), [
    "etc/debian_version",
    "etc/ssl/certs/ca-certificates.crt",
    "usr/lib/os-release",
    `${ARCH}/ld-linux-x86-64.so.2`,
    `${ARCH}/libc.so.6`,
    "usr/lib64/ld-linux-x86-64.so.2",
    "usr/share/common-licenses/GPL-3",
    "usr/share/doc/libc6/copyright",
    "usr/share/doc/libgcc-s1",
  ]);
});

Deno.test("packageEntries() tells scanners of each package, and of its files only those that are there", () => {
  const entries = packageEntries(PACKAGES, ["libc.so.6"]);
  assert.equal(textOf(entries, "var/lib/dpkg/status.d/libc6"), "Package: libc6\nVersion: 1\n");
  assert.equal(
    textOf(entries, "var/lib/dpkg/status.d/libc6.md5sums"),
    "00000000000000000000000000000001  lib/x86_64-linux-gnu/libc.so.6\n",
  );
});

Deno.test("packageEntries() joins the CA certificates in the order of their names", () => {
  assert.equal(textOf(packageEntries(PACKAGES, []), "etc/ssl/certs/ca-certificates.crt"), "A\nB\n");
});

Deno.test("packageEntries() refuses an image that the program would not start in", () => {
  const build = () => packageEntries(PACKAGES, ["libc.so.6", "libfoo.so.1", "libJIS.so"]);
  assert.throws(build, /no package of it has "libfoo\.so\.1", "libJIS\.so"$/);
});

Deno.test("packageEntries() refuses an image without CA certificates", () => {
  assert.throws(() => packageEntries([], []), /CA certificates$/);
});

Deno.test("documentedIn() follows a package's documentation into another package", () => {
  assert.deepEqual(PACKAGES.map(documentedIn), [undefined, undefined, undefined, "gcc-12-base"]);
});

const paths: Record<string, string> = {
  "./lib/x86_64-linux-gnu/libc.so.6": "usr/lib/x86_64-linux-gnu/libc.so.6",
  "./usr/lib/x86_64-linux-gnu/libc.so.6": "usr/lib/x86_64-linux-gnu/libc.so.6",
  "./lib64/ld-linux-x86-64.so.2": "usr/lib64/ld-linux-x86-64.so.2",
  "lib/ld-linux-aarch64.so.1": "usr/lib/ld-linux-aarch64.so.1",
  "./usr/share/doc/": "usr/share/doc",
  "./": "",
  "./control": "control",
};

for (const [written, merged] of Object.entries(paths)) {
  Deno.test(`mergedPath() of "${written}"`, () => assert.equal(mergedPath(written), merged));
}

Deno.test("fieldOf() reads a line of a control file", () => {
  const control = "Package: libc6\nVersion: 2.36-9+deb12u14\nDescription: C\n Version: none\n";
  assert.equal(fieldOf(control, "Version"), "2.36-9+deb12u14");
  assert.equal(fieldOf(control, "Source"), undefined);
});
