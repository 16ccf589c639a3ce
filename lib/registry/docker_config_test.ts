import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { configJsonKey, type Credential, Keyring, readKeyring, type SecretContent } from "./docker_config.ts";

function encoded(text: string): string {
  return Buffer.from(text).toString("base64");
}

function secret(auths: unknown): SecretContent {
  return { type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": encoded(JSON.stringify({ auths })) } };
}

function keyring(content: SecretContent): Keyring {
  const parsed = readKeyring(content);
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.problem);
  return parsed.keyring;
}

/** A keyring whose users are called like their entries. */
function ring(...places: string[]): Keyring {
  return keyring(secret(Object.fromEntries(places.map((place) => [place, { username: place, password: "x" }]))));
}

const lookups: Record<string, [entries: string[], registry: string, repository: string, found: string[]]> = {
  "its host": [["ghcr.io", "quay.io"], "ghcr.io", "acme/shop", ["ghcr.io"]],
  "its host in another case": [["GHCR.io"], "ghcr.io", "acme/shop", ["GHCR.io"]],
  "a URL": [["https://ghcr.io"], "ghcr.io", "acme/shop", ["https://ghcr.io"]],
  "a URL of the API's version": [["https://ghcr.io/v2/"], "ghcr.io", "acme/shop", ["https://ghcr.io/v2/"]],
  "a path that begins like the image's, more of it first": [
    ["ghcr.io", "ghcr.io/acme/shop", "ghcr.io/acme", "ghcr.io/other"],
    "ghcr.io",
    "acme/shop",
    ["ghcr.io/acme/shop", "ghcr.io/acme", "ghcr.io"],
  ],
  "no other port": [["registry:5000", "registry"], "registry:5001", "a", []],
  "its port": [["registry:5000", "registry"], "registry:5000", "a", ["registry:5000"]],
  "a star for one part of the host": [["*.azurecr.io", "*.io"], "acme.azurecr.io", "a", ["*.azurecr.io"]],
  "a star within a part": [["reg*.example.com"], "registry-2.example.com", "a", ["reg*.example.com"]],
  "a question mark": [["r?.example.com"], "r1.example.com", "a", ["r?.example.com"]],
  "no star across a dot": [["*.example.com"], "a.b.example.com", "a", []],
  "no host that only ends alike": [["example.com"], "evil-example.com", "a", []],
  "no host below": [["example.com"], "example.com.evil.org", "a", []],
  "Docker Hub by its old name": [["https://index.docker.io/v1/"], "docker.io", "library/nginx", [
    "https://index.docker.io/v1/",
  ]],
  "Docker Hub by its name, and then not by the old one": [
    ["docker.io", "https://index.docker.io/v1/"],
    "docker.io",
    "library/nginx",
    ["docker.io"],
  ],
  "nothing of Docker Hub for another registry": [["https://index.docker.io/v1/"], "ghcr.io", "library/nginx", []],
  "an IPv6 address": [["[::1]:5000"], "[::1]:5000", "a", ["[::1]:5000"]],
};

for (const [name, [entries, registry, repository, found]] of Object.entries(lookups)) {
  Deno.test(`lookup() finds ${name}`, () => {
    assert.deepEqual(ring(...entries).lookup(registry, repository).map(({ username }) => username), found);
  });
}

const credentials: Record<string, [auth: unknown, expected: Credential]> = {
  "username and password": [{ username: "u", password: "p" }, { username: "u", password: "p" }],
  "auth": [{ auth: encoded("u:p:with:colons") }, { username: "u", password: "p:with:colons" }],
  "auth without padding": [{ auth: encoded("user:pass!").replaceAll("=", "") }, {
    username: "user",
    password: "pass!",
  }],
  "auth before username": [{ username: "x", password: "y", auth: encoded("u:p") }, { username: "u", password: "p" }],
  "letters outside of ASCII": [{ auth: encoded("ü:パス") }, { username: "ü", password: "パス" }],
  "an identity token": [{ username: "00000000", identitytoken: "t" }, {
    username: "00000000",
    password: "",
    identityToken: "t",
  }],
};

for (const [name, [auth, expected]] of Object.entries(credentials)) {
  Deno.test(`readKeyring() reads ${name}`, () => {
    assert.deepEqual(keyring(secret({ "r.io": auth })).lookup("r.io", "a"), [expected]);
  });
}

Deno.test("readKeyring() reads the older type", () => {
  const data = { ".dockercfg": encoded(JSON.stringify({ "r.io": { auth: encoded("u:p") } })) };
  const found = keyring({ type: "kubernetes.io/dockercfg", data }).lookup("r.io", "a");
  assert.deepEqual(found, [{ username: "u", password: "p" }]);
  assert.equal(configJsonKey({ data }), undefined);
  assert.equal(configJsonKey(secret({})), ".dockerconfigjson");
});

Deno.test("keyrings of several Secrets are one", () => {
  const joined = Keyring.joined([ring("r.io"), ring("r.io/a", "q.io")]);
  assert.deepEqual(joined.lookup("r.io", "a").map(({ username }) => username), ["r.io/a", "r.io"]);
});

const unreadable: Record<string, [content: SecretContent, problem: RegExp]> = {
  "no data": [{}, /^Secret has no key "\.dockerconfigjson"$/],
  "another key": [{ data: { "config.json": encoded("{}") } }, /has no key/],
  "no JSON": [{ data: { ".dockerconfigjson": encoded('{"password": hunter2') } }, /is not the JSON of a Docker/],
  "JSON that is no object": [{ data: { ".dockercfg": encoded("[]") } }, /has no auths/],
  "auth without a colon": [secret({ "r.io": { auth: encoded("hunter2") } }), /"auth" of the entry "r\.io"/],
  "a password that is a number": [secret({ "r.io": { username: "u", password: 2 } }), /is no text/],
};

for (const [name, [content, problem]] of Object.entries(unreadable)) {
  Deno.test(`readKeyring() says what is wrong with ${name}, without its content`, () => {
    const parsed = readKeyring(content);
    assert.ok(!parsed.ok);
    assert.match(parsed.problem, problem);
    assert.ok(!parsed.problem.includes("hunter2"));
  });
}

Deno.test("a config without auths is empty", () => {
  const data = { ".dockerconfigjson": encoded('{"credsStore":"desktop"}') };
  assert.deepEqual(keyring({ data }).lookup("r.io", "a"), []);
});

Deno.test("readKeyring() and lookup() take whatever a Secret holds", () => {
  fc.assert(fc.property(fc.json(), fc.webAuthority(), (json, host) => {
    for (const key of [".dockerconfigjson", ".dockercfg"]) {
      const parsed = readKeyring({ data: { [key]: encoded(json) } });
      if (parsed.ok) parsed.keyring.lookup(host, "a/b");
    }
  }));
  const stars = ring(`${"*a".repeat(200)}b.io`);
  assert.deepEqual(stars.lookup(`${"a".repeat(5_000)}.io`, "a"), []);
});
