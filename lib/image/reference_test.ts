import assert from "node:assert/strict";
import fc from "fast-check";
import {
  combine,
  format,
  IMAGE_PATTERN,
  type ImageReference,
  MAX_REFERENCE_LENGTH,
  normalized,
  parseReference,
  TAG_PATTERN,
} from "./reference.ts";

const SHA256 = `sha256:${"0f".repeat(32)}`;
const SHA384 = `sha384:${"0f".repeat(48)}`;
const SHA512 = `sha512:${"0f".repeat(64)}`;
const HEX64 = "0f".repeat(32);
const T128 = "t".repeat(128);

const good: Record<string, [input: string, parts: ImageReference]> = {
  "a familiar name": ["nginx", { path: "nginx" }],
  "one character": ["a", { path: "a" }],
  "a familiar name with a tag": ["nginx:1.27", { path: "nginx", tag: "1.27" }],
  "a name of two parts without a dot has no domain": ["acme/shop", { path: "acme/shop" }],
  "a host with a dot is a domain": ["ghcr.io/acme/shop:v1", { domain: "ghcr.io", path: "acme/shop", tag: "v1" }],
  "a host with a port is a domain": ["registry:5000/shop", { domain: "registry:5000", path: "shop" }],
  "localhost is a domain": ["localhost/shop", { domain: "localhost", path: "shop" }],
  "localhost with a port": ["localhost:5000/app:v1", { domain: "localhost:5000", path: "app", tag: "v1" }],
  "localhost alone is a name": ["localhost", { path: "localhost" }],
  "a number behind a name of one part is a tag": ["localhost:5000", { path: "localhost", tag: "5000" }],
  "an IPv4 address": ["10.0.0.1/a/b", { domain: "10.0.0.1", path: "a/b" }],
  "an IPv4 address with port and tag": ["10.0.0.1:80/a:80", { domain: "10.0.0.1:80", path: "a", tag: "80" }],
  "an IPv6 address": ["[2001:db8::1]/app", { domain: "[2001:db8::1]", path: "app" }],
  "an IPv6 address with port and tag": ["[::1]:5000/app:v1", { domain: "[::1]:5000", path: "app", tag: "v1" }],
  "capitals in the domain": ["Registry.Example.com/app", { domain: "Registry.Example.com", path: "app" }],
  "a capital makes a domain": ["ACME/app", { domain: "ACME", path: "app" }],
  "a punycode host": ["xn--n3h.com/app", { domain: "xn--n3h.com", path: "app" }],
  "an underscore in a host without a port": ["my_host.local/app", { domain: "my_host.local", path: "app" }],
  "capitals in the tag": ["app:V1-RC.2_x", { path: "app", tag: "V1-RC.2_x" }],
  "a tag that starts with an underscore": ["app:_1", { path: "app", tag: "_1" }],
  "a tag of 128 characters": [`app:${T128}`, { path: "app", tag: T128 }],
  "a dot between letters": ["a.b/c.d/e.f", { domain: "a.b", path: "c.d/e.f" }],
  "one and two underscores": ["a_b/c__d", { path: "a_b/c__d" }],
  "dashes in any number": ["a-b/c---d", { path: "a-b/c---d" }],
  "many parts": ["h.io/a/b/c/d/e", { domain: "h.io", path: "a/b/c/d/e" }],
  "a sha256 digest": [`app@${SHA256}`, { path: "app", digest: SHA256 }],
  "a sha384 digest": [`app@${SHA384}`, { path: "app", digest: SHA384 }],
  "a sha512 digest": [`app@${SHA512}`, { path: "app", digest: SHA512 }],
  "tag and digest": [`h:1/a:v1@${SHA256}`, { domain: "h:1", path: "a", tag: "v1", digest: SHA256 }],
  "an unknown algorithm with 32 digits": [`a@md5+x:${"aF".repeat(16)}`, {
    path: "a",
    digest: `md5+x:${"aF".repeat(16)}`,
  }],
  "64 hex digits behind a domain": [`docker.io/${HEX64}`, { domain: "docker.io", path: HEX64 }],
  "64 hex digits with a tag": [`${HEX64}:v1`, { path: HEX64, tag: "v1" }],
  "63 hex digits": [HEX64.slice(1), { path: HEX64.slice(1) }],
  "a name of 255 characters with its domain": [`h.io/${"a".repeat(250)}`, { domain: "h.io", path: "a".repeat(250) }],
};

/** Refused by the parser alone: the length rules that {@link IMAGE_PATTERN} documents. */
const tooLong: Record<string, [input: string, problem: RegExp]> = {
  "a name of 256 characters with its domain": [`h.io/${"a".repeat(251)}`, /^Repository name is longer than 255 char/],
  "a familiar name that library/ makes too long": ["a".repeat(248), /^Repository name is longer than 255 characters/],
  "a reference over the limit": [`a@md5:${"0".repeat(MAX_REFERENCE_LENGTH)}`, /^Image reference is longer than 1024/],
  "a bare image ID": [HEX64, /^Image reference must not be a bare image ID: "0f/],
  "a sha256 digest of 63 digits": [`app@${SHA256.slice(0, -1)}`, /^Digest must have 64 lower-case hex .* "sha256:"/],
  "a sha256 digest of 65 digits": [`app@${SHA256}0`, /^Digest must have 64 lower-case hex digits/],
  "a sha256 digest in capitals": [`app@sha256:${"0F".repeat(32)}`, /^Digest must have 64 lower-case hex digits/],
  "a sha384 digest of 64 digits": [`app@sha384:${HEX64}`, /^Digest must have 96 lower-case hex digits/],
  "a sha512 digest of 64 digits": [`app@sha512:${HEX64}`, /^Digest must have 128 lower-case hex digits/],
};

const NAME_RULE = /^Repository name may only have a-z and 0-9, /;
const EMPTY_PART = /^Repository name has an empty part: /;
const LOWER_CASE = /^Repository name must be lower case: /;
const REGISTRY_RULE = /^Registry must be a host name or an IPv6 address in brackets, with or without a port: /;
const MISSING = /^Repository name is missing/;
const TAG_RULE = /^Tag may only have letters, digits, "_", "." and "-", and must not start with "." or "-": /;
const DIGEST_RULE = /^Digest must be an algorithm in lower case, ":" and 32 or more hex digits: /;
const WHITE_SPACE = /^Image reference contains white space: /;

const bad: Record<string, [input: string, problem: RegExp]> = {
  "nothing": ["", /^Image reference is empty$/],
  "a space in front": [" nginx", WHITE_SPACE],
  "a space behind": ["nginx ", WHITE_SPACE],
  "a space inside": ["my app:v1", WHITE_SPACE],
  "a newline behind": ["nginx:v1\n", /^Image reference contains white space: "nginx:v1\\n"$/],
  "a NUL": ["a\0b", /^Repository name may only .*: "a\\u0000b"$/],
  "a scheme": ["https://ghcr.io/acme/shop", /^Image reference must not have a scheme: "https:/],
  "a scheme of a tool": ["docker://nginx", /^Image reference must not have a scheme: /],
  "a capital in a familiar name": ["App", /^Repository name must be lower case: "App"$/],
  "a capital in a name with a tag": ["App:v1", /^Repository name must be lower case: "App"$/],
  "a capital behind the domain": ["ghcr.io/Acme/shop", /^Repository name must be lower case: "Acme"$/],
  "a capital in the last part": ["acme/Shop", /^Repository name must be lower case: "Shop"$/],
  "a capital in a bare host": ["Example.com", LOWER_CASE],
  "unicode in the path": ["ghcr.io/acmé/shop", /^Repository name may only .*: "acmé"$/],
  "unicode in the domain": ["münchen.de/shop", REGISTRY_RULE],
  "an emoji": ["🚀", NAME_RULE],
  "a tag and no name": [":v1", MISSING],
  "a digest and no name": [`@${SHA256}`, MISSING],
  "a domain and no name": ["ghcr.io/", MISSING],
  "an IPv6 registry and no name": ["[::1]:5000", /^Repository name is missing after the registry: "\[::1\]:5000"$/],
  "a slash alone": ["/", EMPTY_PART],
  "a slash in front": ["/app", EMPTY_PART],
  "a slash behind": ["acme/app/", EMPTY_PART],
  "two slashes": ["ghcr.io/acme//shop", /^Repository name has an empty part: "acme\/\/shop"$/],
  "the parent folder in front": ["../app", REGISTRY_RULE],
  "the parent folder inside": ["acme/../app", NAME_RULE],
  "the folder itself": ["./app", REGISTRY_RULE],
  "a dash in front": ["-app", NAME_RULE],
  "a dash behind": ["app-/x", NAME_RULE],
  "an underscore in front": ["_app", NAME_RULE],
  "two dots": ["a/b..c", NAME_RULE],
  "three underscores": ["a___b", NAME_RULE],
  "two separators": ["a_.b", NAME_RULE],
  "other characters": ["acme/sh$op", NAME_RULE],
  "a percent escape": ["acme/sh%2fop", NAME_RULE],
  "a back-slash": ["acme\\app", NAME_RULE],
  "a template that nobody filled in": ["{{image}}", NAME_RULE],
  "a port that is no number": ["ghcr.io:http/app", REGISTRY_RULE],
  "an empty port": ["ghcr.io:/app", REGISTRY_RULE],
  "a tag before a slash": ["app:v1/x", REGISTRY_RULE],
  "a host with a dash at its end": ["ghcr-.io/app", REGISTRY_RULE],
  "an underscore in a host with a port": ["my_host:5000/app", REGISTRY_RULE],
  "IPv6 without brackets": ["fc00::1:5000/app", REGISTRY_RULE],
  "IPv6 with a zone": ["[fe80::1%eth0]:5000/app", REGISTRY_RULE],
  "user and password": ["user:secret@ghcr.io/app", DIGEST_RULE],
  "a trailing colon": ["app:", /^Tag is missing after ":"$/],
  "a colon before a digest": [`app:@${SHA256}`, /^Tag is missing after ":"$/],
  "a tag of 129 characters": [`app:${T128}t`, /^Tag "t{100}…" is longer than 128 characters$/],
  "a tag that starts with a dash": ["app:-v1", TAG_RULE],
  "a tag that starts with a dot": ["app:.v1", TAG_RULE],
  "two tags": ["app:v1:v2", /^Tag may only .*: "v1:v2"$/],
  "unicode in the tag": ["app:vé", TAG_RULE],
  "a plus in the tag": ["app:1.0+build", TAG_RULE],
  "an @ without a digest": ["app@", /^Digest is missing after "@"$/],
  "a digest without an algorithm": [`app@${HEX64}`, DIGEST_RULE],
  "a digest with an empty algorithm": [`app@:${HEX64}`, DIGEST_RULE],
  "an algorithm in capitals": [`app@SHA256:${HEX64}`, DIGEST_RULE],
  "a digest without digits": ["app@sha256:", /^Digest must have 64 lower-case hex digits after "sha256:"/],
  "a digest of 31 digits": [`app@md5:${"0".repeat(31)}`, DIGEST_RULE],
  "a digest with other letters": [`app@md5:${"g".repeat(32)}`, DIGEST_RULE],
  "the name of an inherited property": ["app@constructor:1", DIGEST_RULE],
  "two digests": [`app@${SHA256}@${SHA256}`, /^Digest must have 64 lower-case hex digits/],
  "a tag behind the digest": [`app@${SHA256}:v1`, /^Digest must have 64 lower-case hex digits/],
};

for (const [name, [input, parts]] of Object.entries(good)) {
  Deno.test(`parseReference() takes ${name}`, () => {
    assert.deepEqual(parseReference(input), { ok: true, reference: parts });
    assert.equal(format(parts), input);
    assert.match(input, new RegExp(IMAGE_PATTERN));
  });
}

for (const [name, [input, problem]] of Object.entries(bad)) {
  Deno.test(`parseReference() refuses ${name}`, () => {
    assertRefused(input, problem);
    assert.doesNotMatch(input, new RegExp(IMAGE_PATTERN));
  });
}

for (const [name, [input, problem]] of Object.entries(tooLong)) {
  Deno.test(`parseReference() refuses what the pattern takes: ${name}`, () => {
    assertRefused(input, problem);
    assert.match(input, new RegExp(IMAGE_PATTERN));
  });
}

function assertRefused(input: string, problem: RegExp): void {
  const parsed = parseReference(input);
  assert.ok(!parsed.ok, `taken: ${input}`);
  assert.match(parsed.problem, problem);
}

Deno.test("parseReference() and IMAGE_PATTERN agree on 10,000 generated references, length rules apart", () => {
  const pattern = new RegExp(IMAGE_PATTERN);
  fc.assert(
    fc.property(nearlyReference(), (input) => {
      const parsed = parseReference(input);
      const isLengthRule = !parsed.ok && /longer than|lower-case hex digits|image ID/.test(parsed.problem);
      if (!isLengthRule) assert.equal(pattern.test(input), parsed.ok, input);
      if (parsed.ok) assert.equal(format(parsed.reference), input);
    }),
    { numRuns: 10_000 },
  );
});

/** Pieces of references in any order, and short texts of the characters that the grammar cares about. */
function nearlyReference(): fc.Arbitrary<string> {
  const domain = fc.constantFrom("", "localhost/", "Foo/", "x_y.z/", "a.b:80/", "[::1]:1/", "fe80::1/", "a--b/", ":1/");
  const path = fc.constantFrom("a", "a/b", "a__b", "a___b", "a.b/c", "a..b", "A", "a-/b", "a--b/c_d", "", "é", HEX64);
  const tag = fc.constantFrom("", ":V1", ":", ":-a", ":a.b-", ":a:b", `:${T128}`, `:${T128}t`);
  const digest = fc.constantFrom("", "@", `@${SHA256}`, `@${SHA512}`, `@sha256:${HEX64}0`, `@md5:${HEX64}`, `@x:y`);
  const whole = fc.tuple(domain, path, tag, digest).map((parts) => parts.join(""));
  const pieces = fc.array(fc.oneof(domain, path, tag, digest), { maxLength: 6 }).map((parts) => parts.join(""));
  return fc.oneof(whole, pieces, fc.string({ unit: fc.constantFrom(..."aA0.-_:/@[] \n"), maxLength: 12 }));
}

Deno.test("both patterns are plain RE2: no look-around, back-reference, escape class or repeat over 1,000", () => {
  for (const pattern of [IMAGE_PATTERN, TAG_PATTERN]) {
    assert.match(pattern, /^\^[^^].*[^\\]\$$/);
    assert.doesNotMatch(pattern, /\(\?[^:]|\\[^.[\]]|[+*?}]\+|\{\d{4,}/);
  }
});

Deno.test("TAG_PATTERN holds the length rule and both anchors", () => {
  const pattern = new RegExp(TAG_PATTERN);
  for (const tag of ["v1", "_", T128]) assert.match(tag, pattern);
  for (const tag of ["", `${T128}t`, "-a", ".a", "a b", "a\n", "a:b"]) assert.doesNotMatch(tag, pattern);
});

const hostile: Record<string, string> = {
  "letters": "a".repeat(100_000),
  "dashes": `a${"-".repeat(100_000)}`,
  "host labels": `${"a-".repeat(50_000)}!`,
  "parts": `${"a/".repeat(50_000)}!`,
  "colons": ":".repeat(100_000),
  "brackets": `[${":".repeat(100_000)}`,
};

for (const [name, input] of Object.entries(hostile)) {
  Deno.test(`parseReference() refuses 100,000 characters of ${name} by their length, in a short message`, () => {
    const parsed = parseReference(input);
    assert.ok(!parsed.ok);
    assert.match(parsed.problem, /^Image reference is longer than 1024 characters: /);
    assert.ok(parsed.problem.length < 200);
  });
}

const meant: Record<string, [input: string, registry: string, repository: string]> = {
  "a familiar name is an official image": ["nginx:1", "docker.io", "library/nginx"],
  "two parts are on the default registry": ["acme/shop", "docker.io", "acme/shop"],
  "docker.io with one part is official": ["docker.io/nginx", "docker.io", "library/nginx"],
  "the legacy registry is the default one": ["index.docker.io/nginx", "docker.io", "library/nginx"],
  "another registry gets no library": ["ghcr.io/nginx", "ghcr.io", "nginx"],
  "a port stays": ["localhost:5000/nginx", "localhost:5000", "nginx"],
  "a host is lowered": ["GHCR.io/acme/shop", "ghcr.io", "acme/shop"],
};

for (const [name, [input, registry, repository]] of Object.entries(meant)) {
  Deno.test(`normalized(): ${name}`, () => {
    const parsed = parseReference(input);
    assert.ok(parsed.ok);
    assert.deepEqual(normalized(parsed.reference), { registry, repository });
  });
}

const combined: Record<string, [image: string, tag: string | undefined, expected: string]> = {
  "a repository and a tag": ["acme/shop", "v1", "acme/shop:v1"],
  "a registry port and a tag": ["localhost:5000/app", "v1", "localhost:5000/app:v1"],
  "a tag in image": ["app:v1", undefined, "app:v1"],
  "a digest in image": [`app@${SHA256}`, undefined, `app@${SHA256}`],
  "an empty image_tag is none": ["app:v1", "", "app:v1"],
  "the same tag in both": ["app:v1", "v1", "app:v1"],
  "the same tag in both and a digest": [`app:v1@${SHA256}`, "v1", `app:v1@${SHA256}`],
};

for (const [name, [image, tag, expected]] of Object.entries(combined)) {
  Deno.test(`combine() takes ${name}`, () => {
    const result = combine(image, tag);
    assert.ok(result.ok);
    assert.equal(result.image, expected);
    assert.deepEqual({ ok: true, reference: result.reference }, parseReference(expected));
  });
}

const uncombined: Record<string, [image: string, tag: string | undefined, expected: string[]]> = {
  "no tag at all": ["app", undefined, ['image_tag: Tag is required: image "app" carries neither a tag nor a digest']],
  "two different tags": ["app:v1", "v2", ['image_tag: Tag "v2" differs from the one that image carries: "v1"']],
  "a tag beside a digest": [`app@${SHA256}`, "v1", [
    `image_tag: Tag "v1" must be left out, because image carries a digest: "app@${SHA256}"`,
  ]],
  "a bad tag": ["app", `${T128}t`, [`image_tag: Tag "${"t".repeat(100)}…" is longer than 128 characters`]],
  "a bad image without a tag": ["App", undefined, ['image: Repository name must be lower case: "App"']],
  "a bad image and a bad tag, in this order": ["App", "-", [
    'image: Repository name must be lower case: "App"',
    'image_tag: Tag may only have letters, digits, "_", "." and "-", and must not start with "." or "-": "-"',
  ]],
};

for (const [name, [image, tag, expected]] of Object.entries(uncombined)) {
  Deno.test(`combine() refuses ${name}`, () => {
    const result = combine(image, tag);
    assert.ok(!result.ok);
    assert.deepEqual(result.problems.map(({ field, message }) => `${field}: ${message}`), expected);
  });
}
