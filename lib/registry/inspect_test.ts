import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { parseReference } from "../image/reference.ts";
import { FakeClock } from "../runtime/fake_clock.ts";
import { Keyring } from "./docker_config.ts";
import { RegistryError, type RegistryFault } from "./errors.ts";
import { createRegistry, type InspectedImage, type InspectOptions, type RegistryOptions } from "./registry.ts";
import { type Script, ScriptedRegistry } from "./scripted_registry.ts";

const NEVER = new AbortController().signal;
const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const AMD64 = { os: "linux", architecture: "amd64" };
const ARM = { os: "linux", architecture: "arm", variant: "v7" };
const INDEX_BODY = JSON.stringify({
  schemaVersion: 2,
  manifests: [{ platform: AMD64 }, { platform: ARM }, { platform: { os: "unknown", architecture: "unknown" } }, null],
});
const IMAGE_BODY = JSON.stringify({ schemaVersion: 2, config: {}, layers: [] });

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** Answers with a manifest, as registries do. */
function manifest(body: string, type = MANIFEST, digest: string | null = digestOf(body)): Script {
  const headers: Record<string, string> = { "content-type": type };
  if (digest !== null) headers["docker-content-digest"] = digest;
  return ({ method }) => new Response(method === "HEAD" ? null : body, { headers });
}

function challenge(header: string): Response {
  return new Response(null, { status: 401, headers: { "www-authenticate": header } });
}

/** Lets in who comes with one of these headers; the rest gets the challenge. */
function guarded(header: string, logins: string[], within: Script = manifest(IMAGE_BODY)): Script {
  return (request, origin) => {
    if (logins.includes(request.headers.get("authorization") ?? "")) return within(request, origin);
    return challenge(header.replace("ORIGIN", origin));
  };
}

function basic(user: string): string {
  return `Basic ${Buffer.from(`${user}:secret`).toString("base64")}`;
}

function ring(places: Record<string, string>): Keyring {
  const entries = Object.entries(places);
  return new Keyring(entries.map(([place, username]) => ({ place, credential: { username, password: "secret" } })));
}

interface Asked extends Partial<RegistryOptions>, Partial<InspectOptions> {
  image?: string;
}

async function inspect(server: ScriptedRegistry, asked: Asked = {}): Promise<InspectedImage> {
  const { image = `${server.host}/acme/shop:v1`, keyring, platforms, signal = NEVER, ...options } = asked;
  const parsed = parseReference(image);
  assert.ok(parsed.ok);
  const registry = createRegistry({ fetch, insecureRegistries: [server.host], ...options });
  return await registry.inspect(parsed.reference, { keyring, platforms, signal });
}

async function fault(asking: Promise<unknown>): Promise<RegistryError> {
  const error = await asking.then(() => undefined, (error) => error);
  assert.ok(error instanceof RegistryError, String(error));
  assert.ok(!error.message.includes("secret"), error.message);
  return error;
}

Deno.test("inspect() asks by HEAD alone where the headers say everything", async () => {
  await using server = new ScriptedRegistry(manifest(IMAGE_BODY, `${MANIFEST}; charset=utf-8`));
  const expected = { exists: true, digest: digestOf(IMAGE_BODY), mediaType: MANIFEST };
  assert.deepEqual(await inspect(server), expected);
  assert.deepEqual(server.asked, ["HEAD /v2/acme/shop/manifests/v1"]);
});

Deno.test("inspect() computes the digest where the registry says none", async () => {
  await using server = new ScriptedRegistry(manifest(INDEX_BODY, INDEX, null));
  const found = await inspect(server);
  assert.ok(found.exists);
  assert.equal(found.digest, digestOf(INDEX_BODY));
  assert.deepEqual(server.asked, ["HEAD /v2/acme/shop/manifests/v1", "GET /v2/acme/shop/manifests/v1"]);
});

Deno.test("inspect() reads the platforms of an index, attestations left out", async () => {
  await using server = new ScriptedRegistry(manifest(INDEX_BODY, INDEX));
  const found = await inspect(server, { platforms: true });
  assert.deepEqual(found, { exists: true, digest: digestOf(INDEX_BODY), mediaType: INDEX, platforms: [AMD64, ARM] });
  assert.deepEqual(server.asked, ["GET /v2/acme/shop/manifests/v1"]);
});

Deno.test("inspect() tells an index from a manifest where the type is a general one", async () => {
  await using server = new ScriptedRegistry(manifest(INDEX_BODY, "application/json"));
  const found = await inspect(server);
  assert.ok(found.exists);
  assert.equal(found.mediaType, INDEX);
});

Deno.test("inspect() asks by digest, and believes only that one", async () => {
  await using server = new ScriptedRegistry(manifest(IMAGE_BODY));
  const image = `${server.host}/acme/shop@${digestOf(IMAGE_BODY)}`;
  assert.deepEqual(await inspect(server, { image }), {
    exists: true,
    digest: digestOf(IMAGE_BODY),
    mediaType: MANIFEST,
  });
  const other = await fault(inspect(server, { image: `${server.host}/acme/shop@${digestOf("other")}` }));
  assert.equal(other.fault, "unusable");
});

const missing: Record<string, Script> = {
  "404": () => new Response(null, { status: 404 }),
  "NAME_UNKNOWN with another status": ({ method }) => {
    return method === "HEAD"
      ? new Response(null, { status: 400 })
      : Response.json({ errors: [{ code: "NAME_UNKNOWN" }] }, { status: 400 });
  },
};

for (const [name, script] of Object.entries(missing)) {
  Deno.test(`inspect() takes ${name} for a missing image`, async () => {
    await using server = new ScriptedRegistry(script);
    assert.deepEqual(await inspect(server), { exists: false });
  });
}

const faults: Record<string, [script: Script, fault: RegistryFault]> = {
  "403": [() => new Response(null, { status: 403 }), "denied"],
  "401 without a challenge": [() => new Response(null, { status: 401 }), "denied"],
  "a Basic challenge without a credential": [() => challenge('Basic realm="r"'), "denied"],
  "503": [() => new Response(null, { status: 503 }), "unreachable"],
  "429": [() => new Response(null, { status: 429 }), "limited"],
  "418": [() => new Response(null, { status: 418 }), "unusable"],
  "a page for everything": [() => new Response("<html>", { headers: { "content-type": "text/html" } }), "unusable"],
  "a manifest of another digest": [manifest(IMAGE_BODY, "text/plain", digestOf("other")), "unusable"],
  "a manifest of schema 1": [manifest('{"schemaVersion":1}', "text/plain"), "unusable"],
  "a manifest that is null": [manifest("null", "text/plain"), "unusable"],
  "a manifest that is no UTF-8": [() => new Response(new Uint8Array([255, 254])), "unusable"],
  "a manifest without an end": [() => new Response(endless()), "unusable"],
  "redirects without an end": [({ url }) => Response.redirect(`${url}x`, 307), "unusable"],
  "a redirect to the metadata service": [() => Response.redirect("http://169.254.169.254/", 307), "unusable"],
  "a redirect to a file": [() => redirect("file:///etc/passwd"), "unusable"],
  "a redirect to no URL": [() => redirect("http://"), "unusable"],
  "a token server that is the metadata service": [
    () => challenge('Bearer realm="http://169.254.169.254/"'),
    "unusable",
  ],
  "a token server with a user": [() => challenge('Bearer realm="http://u:p@auth.io/"'), "unusable"],
  "a token server that is no URL": [() => challenge('Bearer realm="token"'), "unusable"],
  "a token server that denies": [withTokens(() => new Response(null, { status: 401 })), "denied"],
  "a token server that is busy": [withTokens(() => new Response(null, { status: 429 })), "limited"],
  "a token server that redirects": [withTokens(() => redirect("/elsewhere")), "unusable"],
  "a token server without JSON": [withTokens(() => new Response("secret")), "unusable"],
  "a token that is a number": [withTokens(() => Response.json({ token: 1 })), "unusable"],
};

for (const [name, [script, expected]] of Object.entries(faults)) {
  Deno.test(`inspect() says "${expected}" of ${name}`, async () => {
    await using server = new ScriptedRegistry(script);
    assert.equal((await fault(inspect(server))).fault, expected);
  });
}

function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { location } });
}

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)) });
}

function withTokens(token: () => Response): Script {
  return ({ url }, origin) => url.includes("/token") ? token() : challenge(`Bearer realm="${origin}/token"`);
}

Deno.test("inspect() says how long a busy registry wants to be left alone, up to an hour", async () => {
  const clock = new FakeClock();
  const headers: Record<string, number | undefined> = {
    "7": 7_000,
    "999999999": 3_600_000,
    [new Date(clock.now() + 90_000).toUTCString()]: 90_000,
    "soon": undefined,
  };
  for (const [header, expected] of Object.entries(headers)) {
    await using server = new ScriptedRegistry(() =>
      new Response(null, { status: 429, headers: { "retry-after": header } })
    );
    const { retryAfterMs } = await fault(inspect(server, { clock }));
    assert.ok(retryAfterMs === expected || Math.abs(retryAfterMs! - expected!) < 1_000, header);
  }
});

Deno.test("inspect() shows the registry's own words, in one line", async () => {
  const body = { errors: [{ code: "DENIED", message: "no\n access\u001b[31m", detail: "x" }, null, 7] };
  await using server = new ScriptedRegistry(({ method }) =>
    new Response(method === "GET" ? JSON.stringify(body) : null, { status: method === "GET" ? 403 : 405 })
  );
  assert.match((await fault(inspect(server))).message, /denies access: DENIED no access \[31m$/);
});

Deno.test("inspect() is unreachable where nothing listens, and when it takes too long", async () => {
  const gone = new ScriptedRegistry(() => new Response());
  await gone[Symbol.asyncDispose]();
  assert.equal((await fault(inspect(gone))).fault, "unreachable");
  const clock = new FakeClock();
  const hung = Promise.withResolvers<Response>();
  await using server = new ScriptedRegistry(() => {
    void clock.advance(5_000);
    return hung.promise;
  });
  const late = await fault(inspect(server, { clock, timeoutMs: 5_000 }));
  assert.match(late.message, /cannot be reached: It did not answer in time/);
  hung.resolve(new Response());
});

Deno.test("inspect() logs in by name and password where the registry wants that", async () => {
  await using server = new ScriptedRegistry(guarded('Basic realm="r"', [basic("ann")]));
  assert.ok((await inspect(server, { keyring: ring({ [server.host]: "ann" }) })).exists);
});

Deno.test("inspect() tries the next credential where one is denied", async () => {
  await using server = new ScriptedRegistry(guarded('Basic realm="r"', [basic("bob")]));
  const keyring = ring({ [`${server.host}/acme`]: "ann", [server.host]: "bob" });
  assert.ok((await inspect(server, { keyring })).exists);
  const none = ring({ [`${server.host}/acme`]: "ann", [server.host]: "cid" });
  assert.equal((await fault(inspect(server, { keyring: none }))).fault, "denied");
});

Deno.test("inspect() hands no credential to a registry that it is not for", async () => {
  await using server = new ScriptedRegistry(() => challenge('Basic realm="r"'));
  await fault(inspect(server, { keyring: ring({ "ghcr.io": "ann" }) }));
  assert.ok(server.received.every(({ authorization }) => authorization === null));
});

Deno.test("inspect() exchanges an identity token by POST", async () => {
  const forms: string[] = [];
  await using server = new ScriptedRegistry(async (request, origin) => {
    if (request.headers.get("authorization") === "Bearer t") return manifest(IMAGE_BODY)(request, origin);
    if (request.method !== "POST") return challenge(`Bearer realm="${origin}/token",service="r"`);
    forms.push(await request.text());
    return Response.json({ access_token: "t" });
  });
  const credential = { username: "", password: "", identityToken: "id" };
  assert.ok((await inspect(server, { keyring: new Keyring([{ place: server.host, credential }]) })).exists);
  assert.equal(forms.length, 1);
  assert.equal(new URLSearchParams(forms[0]).get("refresh_token"), "id");
  assert.equal(new URLSearchParams(forms[0]).get("scope"), "repository:acme/shop:pull");
});

Deno.test("inspect() keeps a credential from where it is redirected, and from the token server there", async () => {
  await using other = new ScriptedRegistry((request, origin) => {
    if (request.url.includes("/token")) return Response.json({ token: "t" });
    return guarded('Bearer realm="ORIGIN/token"', ["Bearer t"])(request, origin);
  });
  await using server = new ScriptedRegistry(
    guarded(
      'Basic realm="r"',
      [basic("ann")],
      ({ url }) => Response.redirect(`${other.origin}${new URL(url).pathname}`),
    ),
  );
  const keyring = ring({ [server.host]: "ann" });
  // The login to the registry leads to the other place, which then wants one of its own.
  const { fault: found } = await fault(inspect(server, { keyring }));
  assert.equal(found, "denied");
  assert.ok(other.received.every(({ authorization }) => !authorization?.startsWith("Basic")));
});

Deno.test("a mirror is asked first, without the registry's credential, and passed over when it does not know", async () => {
  await using registry = new ScriptedRegistry(guarded('Basic realm="r"', [basic("ann")]));
  const keyring = ring({ [registry.host]: "ann" });
  const answers: Script[] = [
    () => new Response(null, { status: 404 }),
    () => challenge('Basic realm="r"'),
    () => new Response(null, { status: 500 }),
    () => new Response("<html>"),
  ];
  for (const answer of answers) {
    await using mirror = new ScriptedRegistry(answer);
    const mirrors = new Map([[registry.host, [`${mirror.host}/proxy`]]]);
    const insecureRegistries = [registry.host, mirror.host];
    assert.ok((await inspect(registry, { keyring, mirrors, insecureRegistries })).exists);
    assert.equal(mirror.received[0]?.line, "HEAD /v2/proxy/acme/shop/manifests/v1");
    assert.ok(mirror.received.every(({ authorization }) => authorization === null));
  }
});

Deno.test("a mirror that knows the image is enough", async () => {
  await using registry = new ScriptedRegistry(() => new Response(null, { status: 500 }));
  await using mirror = new ScriptedRegistry(manifest(IMAGE_BODY));
  const mirrors = new Map([[registry.host, [mirror.host]]]);
  assert.ok((await inspect(registry, { mirrors, insecureRegistries: [registry.host, mirror.host] })).exists);
  assert.deepEqual(registry.asked, []);
});
