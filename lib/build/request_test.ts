import assert from "node:assert/strict";
import { optionsProblem, requestProblem } from "./request.ts";
import { options, request } from "./test_builds.ts";

const good: Record<string, Parameters<typeof request>[0]> = {
  "HTTPS": {},
  "HTTP with a port": { repositoryUrl: "http://git.local:8081/app.git" },
  "SSH as a URL": { repositoryUrl: "ssh://git@git.example.com:2222/acme/shop.git" },
  "SSH the short way": { repositoryUrl: "git@git.example.com:acme/shop.git" },
  "a hash of SHA-256": { commit: "0f".repeat(32) },
  "the whole repository": { context: ".", dockerfile: "build/Dockerfile" },
  "an image of Docker Hub": { image: "acme/shop" },
};

for (const [name, over] of Object.entries(good)) {
  Deno.test(`requestProblem() takes ${name}`, () => {
    assert.equal(requestProblem(request(over)), undefined);
  });
}

const bad: Record<string, [over: Parameters<typeof request>[0], problem: RegExp]> = {
  "a URL with a password": [{ repositoryUrl: "https://user:secret@git.example.com/a.git" }, /^Repository must be/],
  "a URL that is an option": [{ repositoryUrl: "--upload-pack=touch /tmp/x" }, /^Repository must be/],
  "a command as a URL": [{ repositoryUrl: "ext::sh -c id" }, /^Repository must be/],
  "a path of the node": [{ repositoryUrl: "file:///etc" }, /^Repository must be/],
  "a branch for a commit": [{ commit: "main" }, /whole hash/],
  "a short commit": [{ commit: "0123456" }, /whole hash/],
  "an image with a tag": [{ image: "r.io/a:v1" }, /neither tag nor digest/],
  "an image with options of the exporter": [{ image: "r.io/a,push=false" }, /Repository name/],
  "a context that is absolute": [{ context: "/etc" }, /^Context must be a path/],
  "a context above": [{ context: "../other" }, /^Context must be a path/],
  "no context": [{ context: "" }, /^Context must be a path/],
  "a context with a newline": [{ context: "a\nb" }, /^Context must be a path/],
  "a Dockerfile above the context": [{ context: "a", dockerfile: "b/../../x" }, /^Dockerfile must be a path/],
  "a Dockerfile that is absolute": [{ dockerfile: "/proc/self/environ" }, /^Dockerfile must be a path/],
};

for (const [name, [over, problem]] of Object.entries(bad)) {
  Deno.test(`requestProblem() refuses ${name}`, () => {
    const found = requestProblem(request(over));
    assert.match(found ?? "", problem);
    assert.ok(!found?.includes("secret"));
  });
}

Deno.test("optionsProblem() refuses authorities that no variable can hold", () => {
  assert.equal(optionsProblem(options({ caCertificates: "x".repeat(64 * 1024) })), undefined);
  assert.match(optionsProblem(options({ caCertificates: "x".repeat(64 * 1024 + 1) })) ?? "", /over 65536 bytes/);
});
