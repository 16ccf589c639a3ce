import assert from "node:assert/strict";
import { readCommandLine } from "../lib/config.ts";
import type { World } from "./command.ts";
import { readObjects } from "./files.ts";
import { judgeFileObject } from "./judge.ts";

const SAMPLES = new URL("../deploy/samples/", import.meta.url);
const { config } = readCommandLine([], {});
const world = { readFile: (path: string) => Deno.readTextFile(path) } as World;

/** Paths of the samples in a folder. */
async function samplesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(new URL(folder, SAMPLES))) {
    if (name.endsWith(".yaml")) found.push(new URL(`${folder}${name}`, SAMPLES).pathname);
  }
  return found.sort();
}

for (const folder of ["./", "projects/", "applications/"]) {
  Deno.test(`every sample of deploy/samples/${folder} is admitted, without a field that nobody knows`, async () => {
    for (const path of await samplesIn(folder)) {
      for (const item of (await readObjects(path, world)).objects) {
        const { problems, warnings } = judgeFileObject(item, config);
        assert.deepEqual(problems, [], path);
        assert.deepEqual(warnings.filter((warning) => warning.includes("Unknown field")), [], path);
      }
    }
  });
}

Deno.test("every sample of deploy/samples/illegal is refused for several reasons", async () => {
  for (const path of await samplesIn("illegal/")) {
    for (const item of (await readObjects(path, world)).objects) {
      assert.ok(judgeFileObject(item, config).problems.length > 1, path);
    }
  }
});
