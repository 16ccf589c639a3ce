import assert from "node:assert/strict";
import { type ImagePolicy, policyProblems, registryEntryProblem } from "./policy.ts";
import { parseReference } from "./reference.ts";

const OPEN: ImagePolicy = { allowedRegistries: [], deniedRegistries: [], allowLatest: true, requireDigest: false };
const DIGEST = `sha256:${"0f".repeat(32)}`;

function problemsOf(image: string, policy: Partial<ImagePolicy>): string[] {
  const parsed = parseReference(image);
  assert.ok(parsed.ok, image);
  return policyProblems(parsed.reference, { ...OPEN, ...policy });
}

const matching: Record<string, [entry: string, image: string, expected: boolean]> = {
  "a registry matches its images": ["ghcr.io", "ghcr.io/acme/shop:v1", true],
  "a registry matches no other": ["ghcr.io", "quay.io/acme/shop:v1", false],
  "a registry does not match a longer host": ["ghcr.io", "ghcr.io.evil.com/acme/shop", false],
  "a registry does not match a host that ends like it": ["ghcr.io", "evil-ghcr.io/acme/shop", false],
  "a registry does not match its sub-domain": ["ghcr.io", "a.ghcr.io/acme/shop", false],
  "a registry does not match a path that looks like it": ["ghcr.io", "quay.io/ghcr.io/shop", false],
  "a registry ignores case": ["GHCR.io", "ghcr.IO/acme/shop", true],
  "a path prefix matches below it": ["ghcr.io/acme", "ghcr.io/acme/a/b", true],
  "a path prefix matches the repository itself": ["ghcr.io/acme/shop", "ghcr.io/acme/shop:v1", true],
  "a path prefix ends at a whole segment": ["ghcr.io/acme", "ghcr.io/acme-evil/x", false],
  "a path prefix matches no parent": ["ghcr.io/acme/shop", "ghcr.io/acme", false],
  "a path prefix matches only from the start": ["ghcr.io/acme", "ghcr.io/x/acme", false],
  "a slash at the end of an entry counts for nothing": ["ghcr.io/acme/", "ghcr.io/acme/shop", true],
  "a slash behind a registry counts for nothing": ["ghcr.io/", "ghcr.io/acme/shop", true],
  "a familiar name is on docker.io": ["docker.io", "nginx", true],
  "a familiar name is in library": ["docker.io/library", "nginx", true],
  "a familiar name of two parts is not in library": ["docker.io/library", "acme/nginx", false],
  "docker.io with one part is in library": ["docker.io/library/nginx", "docker.io/nginx", true],
  "the legacy host is docker.io": ["docker.io", "index.docker.io/acme/shop", true],
  "the legacy host in an entry is docker.io": ["index.docker.io", "nginx", true],
  "the API host is docker.io": ["docker.io", "registry-1.docker.io/library/nginx", true],
  "the API host is below docker.io": ["*.docker.io", "registry-1.docker.io/library/nginx", true],
  "a wildcard matches a sub-domain": ["*.example.com", "a.example.com/shop", true],
  "a wildcard matches two levels": ["*.example.com", "a.b.example.com/shop", true],
  "a wildcard does not match its domain": ["*.example.com", "example.com/shop", false],
  "a wildcard does not match a host that ends like it": ["*.example.com", "evilexample.com/shop", false],
  "a wildcard does not match a longer host": ["*.example.com", "a.example.com.evil.com/shop", false],
  "a wildcard takes a path": ["*.example.com/acme", "a.example.com/acme/shop", true],
  "a wildcard's path ends at a whole segment": ["*.example.com/acme", "a.example.com/acme2/shop", false],
  "a port matches itself": ["localhost:5000", "localhost:5000/shop", true],
  "a port matches no other": ["localhost:5000", "localhost:5001/shop", false],
  "a port does not match none": ["localhost:5000", "localhost/shop", false],
  "the standard port is no port": ["ghcr.io", "ghcr.io:443/acme/shop", true],
  "the standard port with a zero is no port": ["ghcr.io", "ghcr.io:0443/acme/shop", true],
  "no port is the standard port": ["ghcr.io:443", "ghcr.io/acme/shop", true],
  "an IPv6 address with its port": ["[::1]:5000", "[::1]:5000/shop", true],
  "an IPv6 address without a port": ["[::1]", "[::1]/shop", true],
};

for (const [name, [entry, image, expected]] of Object.entries(matching)) {
  Deno.test(`an entry of both lists: ${name}`, () => {
    assert.equal(problemsOf(image, { allowedRegistries: [entry] }).length, expected ? 0 : 1);
    assert.equal(problemsOf(image, { deniedRegistries: [entry] }).length, expected ? 1 : 0);
  });
}

Deno.test("an entry without a port denies every port and allows only the standard one", () => {
  assert.equal(problemsOf("ghcr.io:8443/acme/shop", { deniedRegistries: ["ghcr.io"] }).length, 1);
  assert.equal(problemsOf("ghcr.io:8443/acme/shop", { allowedRegistries: ["ghcr.io"] }).length, 1);
  assert.equal(problemsOf("a.example.com:8443/shop", { deniedRegistries: ["*.example.com"] }).length, 1);
});

const verdicts: Record<string, [image: string, policy: Partial<ImagePolicy>, expected: string[]]> = {
  "no lists allow every registry": ["evil.com/x:v1", {}, []],
  "what no entry allows is refused, naming the entries": ["nginx:1", { allowedRegistries: ["ghcr.io", "quay.io"] }, [
    'Image "nginx:1" is not from an allowed registry: ghcr.io, quay.io',
  ]],
  "one allowing entry is enough": ["quay.io/x:1", { allowedRegistries: ["ghcr.io", "quay.io"] }, []],
  "denied wins over allowed": ["ghcr.io/evil/x:1", {
    allowedRegistries: ["ghcr.io"],
    deniedRegistries: ["ghcr.io/evil"],
  }, ['Image "ghcr.io/evil/x:1" is denied by the registry entry "ghcr.io/evil"']],
  "denied leaves the rest allowed": ["ghcr.io/good/x:1", { deniedRegistries: ["ghcr.io/evil"] }, []],
  "latest is refused": ["nginx:latest", { allowLatest: false }, [
    'Image "nginx:latest" has the tag "latest": name a version',
  ]],
  "no tag means latest": ["ghcr.io/acme/shop", { allowLatest: false }, [
    'Image "ghcr.io/acme/shop" has no tag, which means "latest": name a version',
  ]],
  "a version is not latest": ["nginx:1.27", { allowLatest: false }, []],
  "a tag that only starts with latest is not latest": ["nginx:latest-slim", { allowLatest: false }, []],
  "a digest beside latest is fine": [`nginx:latest@${DIGEST}`, { allowLatest: false }, []],
  "a digest without a tag is not latest": [`nginx@${DIGEST}`, { allowLatest: false }, []],
  "latest may be allowed": ["nginx", { allowLatest: true }, []],
  "a tag is no digest": ["nginx:1", { requireDigest: true }, [
    'Image "nginx:1" must be pinned by a digest ("@sha256:…")',
  ]],
  "a digest is a digest": [`nginx:1@${DIGEST}`, { requireDigest: true }, []],
  "all problems come at once, in order": [
    "nginx",
    { allowedRegistries: ["ghcr.io"], allowLatest: false, requireDigest: true },
    [
      'Image "nginx" is not from an allowed registry: ghcr.io',
      'Image "nginx" has no tag, which means "latest": name a version',
      'Image "nginx" must be pinned by a digest ("@sha256:…")',
    ],
  ],
};

for (const [name, [image, policy, expected]] of Object.entries(verdicts)) {
  Deno.test(`policyProblems(): ${name}`, () => assert.deepEqual(problemsOf(image, policy), expected));
}

Deno.test("registryEntryProblem() takes registries, paths and wildcards", () => {
  const entries = [
    "ghcr.io",
    "GHCR.io",
    "localhost",
    "localhost:5000",
    "registry:5000/a",
    "ghcr.io/acme",
    "ghcr.io/a/",
  ];
  for (const entry of [...entries, "*.example.com", "*.local", "*.example.com:5000/a", "[::1]:5000", "10.0.0.1/a/b"]) {
    assert.equal(registryEntryProblem(entry), undefined, entry);
  }
});

Deno.test("registryEntryProblem() refuses entries that would match nothing", () => {
  const entries = [
    "",
    "*",
    "*.",
    "/",
    "https://ghcr.io",
    "ghcr.io/Acme",
    "ghcr.io//a",
    "ghcr.io/*",
    "g*.io",
    " ghcr.io",
  ];
  for (const entry of [...entries, "acme/shop", "nginx", "ghcr.io/a:v1", `ghcr.io/a@${DIGEST}`, "ghcr.io:", "*.*.io"]) {
    const expected = `Registry entry must be a registry, a registry with a path, or "*." and a domain: "${entry}"`;
    assert.equal(registryEntryProblem(entry), expected);
  }
});
