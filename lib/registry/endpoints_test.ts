import assert from "node:assert/strict";
import { parseReference } from "../image/reference.ts";
import { endpointsOf, manifestUrl, mirrorProblem, parseMirrors } from "./endpoints.ts";

const DIGEST = `sha256:${"0f".repeat(32)}`;

function urls(image: string, mirrors: string[] = [], insecure: string[] = []): string[] {
  const parsed = parseReference(image);
  assert.ok(parsed.ok);
  const options = { mirrors: parseMirrors(mirrors), insecure: new Set(insecure) };
  return endpointsOf(parsed.reference, options).map((endpoint) => manifestUrl(endpoint, parsed.reference).href);
}

const places: Record<string, [urls: string[], expected: string[]]> = {
  "Docker Hub answers under another name": [urls("nginx"), [
    "https://registry-1.docker.io/v2/library/nginx/manifests/latest",
  ]],
  "a digest wins over a tag": [urls(`r.io/a:v1@${DIGEST}`), [`https://r.io/v2/a/manifests/${DIGEST}`]],
  "mirrors come first, in their order": [urls("nginx:1", ["docker.io=m1:5000", "r.io=m9", "docker.io=m2.io"]), [
    "https://m1:5000/v2/library/nginx/manifests/1",
    "https://m2.io/v2/library/nginx/manifests/1",
    "https://registry-1.docker.io/v2/library/nginx/manifests/1",
  ]],
  "a mirror may have a path": [urls("nginx:1", ["index.docker.io=harbor.io/proxy/hub"]).slice(0, 1), [
    "https://harbor.io/v2/proxy/hub/library/nginx/manifests/1",
  ]],
  "plain HTTP is for those that are listed": [urls("r.io/a:1", ["r.io=m:5000"], ["m:5000"]), [
    "http://m:5000/v2/a/manifests/1",
    "https://r.io/v2/a/manifests/1",
  ]],
  "the host of an image is read in lower case": [urls("R.io/a:1", [], ["r.io"]), ["http://r.io/v2/a/manifests/1"]],
};

for (const [name, [found, expected]] of Object.entries(places)) {
  Deno.test(`endpoints: ${name}`, () => assert.deepEqual(found, expected));
}

Deno.test("the metadata service is no registry, unless somebody lists it", () => {
  assert.throws(() => urls("169.254.169.254/a:1"), /is an address of metadata services/);
  assert.throws(() => urls("metadata.google.internal/a:1"), /is an address of metadata services/);
  assert.deepEqual(urls("169.254.1.1:5000/a:1", [], ["169.254.1.1:5000"]), [
    "http://169.254.1.1:5000/v2/a/manifests/1",
  ]);
  assert.throws(() => urls("r:99999/a:1"), /"r:99999" is no host/);
});

const entries: Record<string, boolean> = {
  "docker.io=mirror.example:5000": true,
  "docker.io=harbor.example/proxy": true,
  "localhost:5000=localhost:5001": true,
  "docker.io": false,
  "docker.io=": false,
  "=mirror.example": false,
  "docker.io=https://mirror.example": false,
  "docker.io/library=mirror.example": false,
  "docker.io=a.io=b.io": false,
  "docker.io=mirror": false,
};

for (const [entry, isGood] of Object.entries(entries)) {
  Deno.test(`mirrorProblem() ${isGood ? "takes" : "refuses"} "${entry}"`, () => {
    assert.equal(mirrorProblem(entry) === undefined, isGood);
  });
}
