import assert from "node:assert/strict";
import { readLdd } from "./libraries.ts";

const cases: Record<string, [output: string, libraries: string[]]> = {
  "a program linked to glibc": [
    [
      "\tlinux-vdso.so.1 (0x00007f78fe5d4000)",
      "\tlibgcc_s.so.1 => /lib/x86_64-linux-gnu/libgcc_s.so.1 (0x00007f78fe59e000)",
      "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f78f8b37000)",
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f78fe5d6000)",
      "",
    ].join("\n"),
    ["ld-linux-x86-64.so.2", "libc.so.6", "libgcc_s.so.1"],
  ],
  "a library that this machine has not": ["\tlibfoo.so.1 => not found\n", ["libfoo.so.1"]],
  "a static program with a loader's table": ["\tstatically linked\n", []],
};

for (const [name, [output, libraries]] of Object.entries(cases)) {
  Deno.test(`readLdd() reads ${name}`, () => assert.deepEqual(readLdd(output), libraries));
}
