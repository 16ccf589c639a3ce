import assert from "node:assert/strict";
import { type ImageReference, parseReference } from "../image/reference.ts";
import { createRegistry, type ImagePresence } from "./registry.ts";
import { type Script, ScriptedRegistry } from "./scripted_registry.ts";

const NEVER = new AbortController().signal;
const DIGEST = `sha256:${"0f".repeat(32)}`;

function referenceOf(image: string): ImageReference {
  const parsed = parseReference(image);
  assert.ok(parsed.ok, image);
  return parsed.reference;
}

/** Asks the scripted server, as an insecure registry, for `acme/shop:v1`. */
async function lookUp(
  server: ScriptedRegistry,
  { signal = NEVER, send = fetch }: { signal?: AbortSignal; send?: typeof fetch } = {},
): Promise<ImagePresence> {
  const registry = createRegistry({ fetch: send, insecureRegistries: [server.host] });
  return await registry.exists(referenceOf(`${server.host}/acme/shop:v1`), { signal });
}

/** Asks for an image of a registry with TLS; its requests reach the scripted server, `sent` keeps their real URLs. */
async function lookUpSecure(server: ScriptedRegistry, image: string, sent: string[] = []): Promise<ImagePresence> {
  function rerouted(input: URL | RequestInfo, init?: RequestInit): Promise<Response> {
    const url = new URL(String(input));
    sent.push(url.href);
    return fetch(`${server.origin}${url.pathname}${url.search}`, init);
  }
  const registry = createRegistry({ fetch: rerouted, insecureRegistries: [] });
  return await registry.exists(referenceOf(image), { signal: NEVER });
}

function challenge(header: string): Response {
  return new Response('{"errors":[{"code":"UNAUTHORIZED"}]}', { status: 401, headers: { "www-authenticate": header } });
}

function errors(status: number, code: string): Response {
  return Response.json({ errors: [{ code, message: "x" }] }, { status });
}

/** A registry that wants a token; `answer` is what comes with the right one. */
function guarded(body: unknown, answer = new Response(), tokenStatus = 200): Script {
  return (request, origin) => {
    if (new URL(request.url).pathname === "/token") return Response.json(body, { status: tokenStatus });
    if (request.headers.get("authorization") === "Bearer secret") return answer.clone();
    return challenge(`Bearer realm="${origin}/token",service="reg,istry",scope="repository:acme/shop:pull"`);
  };
}

/** HEAD is refused as a method, GET answers. */
function onGet(answer: Response): Script {
  return (request) => request.method === "GET" ? answer.clone() : new Response(null, { status: 405 });
}

const answers: Record<string, [script: Script, expected: ImagePresence]> = {
  "200 is present": [() => new Response("{}"), "present"],
  "404 is absent": [() => errors(404, "MANIFEST_UNKNOWN"), "absent"],
  "403 is unknown": [() => errors(403, "DENIED"), "unknown"],
  "429 is unknown": [() => errors(429, "TOOMANYREQUESTS"), "unknown"],
  "500 is unknown": [() => new Response("oops", { status: 500 }), "unknown"],
  "401 without a challenge is unknown": [() => new Response("no", { status: 401 }), "unknown"],
  "a Basic challenge is unknown": [() => challenge('Basic realm="registry"'), "unknown"],
  "a challenge without a realm is unknown": [() => challenge('Bearer service="x"'), "unknown"],
  "a realm that is no URL is unknown": [() => challenge('Bearer realm="token"'), "unknown"],
  "a realm of another scheme is unknown": [(request) => {
    if (request.headers.has("authorization")) return new Response();
    return challenge('Bearer realm="data:,%7B%22token%22%3A%22secret%22%7D"');
  }, "unknown"],
  "a token opens the image": [guarded({ token: "secret" }), "present"],
  "an access_token is a token": [guarded({ access_token: "secret" }), "present"],
  "404 behind a token is absent": [guarded({ token: "secret" }, errors(404, "NAME_UNKNOWN")), "absent"],
  "403 behind a token is unknown": [guarded({ token: "secret" }, errors(403, "DENIED")), "unknown"],
  "401 behind a token is unknown": [guarded({ token: "other" }), "unknown"],
  "an empty token is unknown": [guarded({ token: "" }), "unknown"],
  "a token document with an error status is unknown": [guarded({ token: "secret" }, undefined, 500), "unknown"],
  "no token is unknown": [guarded({}), "unknown"],
  "a token that no header can carry is unknown": [guarded({ token: "a\nb" }), "unknown"],
  "a token document that is null is unknown": [guarded(null), "unknown"],
  "a token document without end is unknown": [guarded({ token: "secret", x: "x".repeat(300_000) }), "unknown"],
  "200 to GET is present": [onGet(new Response("{}")), "present"],
  "404 to GET is absent": [onGet(new Response("not found", { status: 404 })), "absent"],
  "MANIFEST_UNKNOWN to GET is absent": [onGet(errors(400, "MANIFEST_UNKNOWN")), "absent"],
  "NAME_UNKNOWN to GET is absent": [onGet(errors(400, "NAME_UNKNOWN")), "absent"],
  "another code to GET is unknown": [onGet(errors(400, "NAME_INVALID")), "unknown"],
  "a page instead of errors is unknown": [onGet(new Response("<html>", { status: 400 })), "unknown"],
  "errors that are null are unknown": [onGet(Response.json({ errors: [null] }, { status: 400 })), "unknown"],
  "NAME_UNKNOWN to GET with 403 is unknown": [onGet(errors(403, "NAME_UNKNOWN")), "unknown"],
  "NAME_UNKNOWN to GET with 429 is unknown": [onGet(errors(429, "NAME_UNKNOWN")), "unknown"],
  "NAME_UNKNOWN to GET with 503 is unknown": [onGet(errors(503, "NAME_UNKNOWN")), "unknown"],
  "a redirect without a target is unknown": [() => new Response(null, { status: 302 }), "unknown"],
  "a redirect in a circle is unknown": [(request) => Response.redirect(request.url, 307), "unknown"],
};

for (const [name, [script, expected]] of Object.entries(answers)) {
  Deno.test(`exists(): ${name}`, async () => {
    await using server = new ScriptedRegistry(script);
    assert.equal(await lookUp(server), expected);
  });
}

Deno.test("exists() asks by HEAD for the manifest and takes manifests and indexes of both kinds", async () => {
  await using server = new ScriptedRegistry(() => new Response());
  assert.equal(await lookUp(server), "present");
  assert.deepEqual(server.received.map(({ line }) => line), ["HEAD /v2/acme/shop/manifests/v1"]);
  assert.deepEqual(server.received[0]?.accept?.split(", "), [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
  ]);
});

Deno.test("exists() hands service and scope to the realm, and the token only to the registry", async () => {
  await using server = new ScriptedRegistry(guarded({ token: "secret" }));
  assert.equal(await lookUp(server), "present");
  assert.deepEqual(server.received.map(({ line, authorization }) => [line, authorization]), [
    ["HEAD /v2/acme/shop/manifests/v1", null],
    ["GET /token?service=reg%2Cistry&scope=repository%3Aacme%2Fshop%3Apull", null],
    ["HEAD /v2/acme/shop/manifests/v1", "Bearer secret"],
  ]);
});

Deno.test("exists() finds the Bearer challenge among others, unquoted and with escapes", async () => {
  await using server = new ScriptedRegistry((request, origin) => {
    if (request.url.includes("/token")) return Response.json({ token: "secret" });
    if (request.headers.has("authorization")) return new Response();
    return challenge(`Basic realm="x", bearer Realm=${origin}/token , service="a\\"b", Digest realm="y"`);
  });
  assert.equal(await lookUp(server), "present");
  assert.equal(server.received[1]?.line, "GET /token?service=a%22b&scope=repository%3Aacme%2Fshop%3Apull");
});

Deno.test("exists() gives up after one token", async () => {
  await using server = new ScriptedRegistry(guarded({ token: "other" }));
  assert.equal(await lookUp(server), "unknown");
  assert.equal(server.received.length, 3);
});

Deno.test("exists() follows a redirect, and answers the challenge where it came from", async () => {
  await using behind = new ScriptedRegistry(guarded({ token: "secret" }));
  await using front = new ScriptedRegistry((request) =>
    Response.redirect(`${behind.origin}${new URL(request.url).pathname}`, 307)
  );
  assert.equal(await lookUp(front), "present");
  assert.equal(front.received.length, 1);
  assert.equal(behind.received.at(-1)?.authorization, "Bearer secret");
});

Deno.test("exists() keeps the token from another origin", async () => {
  await using other = new ScriptedRegistry(() => new Response());
  const away = Response.redirect(`${other.origin}/blob`, 307);
  await using server = new ScriptedRegistry(guarded({ token: "secret" }, away));
  assert.equal(await lookUp(server), "present");
  assert.equal(other.received[0]?.authorization, null);
});

const asked: Record<string, [image: string, url: string]> = {
  "a familiar name": ["nginx:1.27", "https://registry-1.docker.io/v2/library/nginx/manifests/1.27"],
  "a name without a tag": ["ghcr.io/acme/shop", "https://ghcr.io/v2/acme/shop/manifests/latest"],
  "a digest beside a tag": [`ghcr.io/a/b:v1@${DIGEST}`, `https://ghcr.io/v2/a/b/manifests/${DIGEST}`],
  "a port": ["registry:5000/shop:v1", "https://registry:5000/v2/shop/manifests/v1"],
  "an IPv6 address": ["[::1]:5000/shop:v1", "https://[::1]:5000/v2/shop/manifests/v1"],
};

for (const [name, [image, url]] of Object.entries(asked)) {
  Deno.test(`exists() asks over TLS, and for ${name} at ${new URL(url).host}`, async () => {
    await using server = new ScriptedRegistry(() => new Response());
    const sent: string[] = [];
    assert.equal(await lookUpSecure(server, image, sent), "present");
    assert.deepEqual(sent, [url]);
  });
}

Deno.test("exists() asks an insecure registry without TLS, in whatever case it is written", async () => {
  const sent: string[] = [];
  function answered(input: URL | RequestInfo): Promise<Response> {
    sent.push(String(input));
    return Promise.resolve(new Response());
  }
  const registry = createRegistry({ fetch: answered, insecureRegistries: ["Registry:5000"] });
  await registry.exists(referenceOf("REGISTRY:5000/shop:v1"), { signal: NEVER });
  assert.deepEqual(sent, ["http://registry:5000/v2/shop/manifests/v1"]);
});

Deno.test("exists() asks a realm with TLS for a registry with TLS", async () => {
  await using server = new ScriptedRegistry((request) => {
    if (request.url.includes("/token")) return Response.json({ token: "secret" });
    return request.headers.has("authorization") ? new Response() : challenge('Bearer realm="https://auth.io/token"');
  });
  const sent: string[] = [];
  assert.equal(await lookUpSecure(server, "ghcr.io/a/b:v1", sent), "present");
  assert.equal(sent[1], "https://auth.io/token?scope=repository%3Aa%2Fb%3Apull");
});

const unsafe: Record<string, Script> = {
  "a realm": () => challenge('Bearer realm="http://auth.io/token"'),
  "a redirect": () => Response.redirect("http://ghcr.io/", 307),
};

for (const [name, script] of Object.entries(unsafe)) {
  Deno.test(`exists() is not led away from TLS by ${name}`, async () => {
    await using server = new ScriptedRegistry(script);
    const sent: string[] = [];
    assert.equal(await lookUpSecure(server, "ghcr.io/a/b:v1", sent), "unknown");
    assert.deepEqual(sent, ["https://ghcr.io/v2/a/b/manifests/v1"]);
  });
}

Deno.test("exists() is unknown where nothing listens, and where the port cannot be", async () => {
  const gone = new ScriptedRegistry(() => new Response());
  await gone[Symbol.asyncDispose]();
  assert.equal(await lookUp(gone), "unknown");
  const registry = createRegistry({ fetch, insecureRegistries: [] });
  assert.equal(await registry.exists(referenceOf("localhost:99999/app:v1"), { signal: NEVER }), "unknown");
});

Deno.test("exists() is unknown as soon as the signal fires, in a request that is never answered", async () => {
  const hung = Promise.withResolvers<Response>();
  const controller = new AbortController();
  await using server = new ScriptedRegistry(() => {
    controller.abort();
    return hung.promise;
  });
  assert.equal(await lookUp(server, { signal: controller.signal }), "unknown");
  hung.resolve(new Response());
});

Deno.test("exists() is unknown as soon as the signal fires, in a token that never ends", async () => {
  const controller = new AbortController();
  await using server = new ScriptedRegistry((request, origin) => {
    if (request.url.includes("/token")) return new Response(new ReadableStream());
    return challenge(`Bearer realm="${origin}/token"`);
  });
  async function abortInBody(input: URL | RequestInfo, init?: RequestInit): Promise<Response> {
    const response = await fetch(input, init);
    if (String(input).includes("/token")) controller.abort();
    return response;
  }
  assert.equal(await lookUp(server, { signal: controller.signal, send: abortInBody }), "unknown");
});

Deno.test("exists() asks nothing when the signal has fired before", async () => {
  await using server = new ScriptedRegistry(() => new Response());
  assert.equal(await lookUp(server, { signal: AbortSignal.abort() }), "unknown");
  assert.deepEqual(server.received, []);
});

Deno.test("exists() reads or cancels every body", async () => {
  const withToken = guarded({ token: "secret" }, errors(404, "NAME_UNKNOWN"));
  await using server = new ScriptedRegistry((request, origin) => {
    return request.method === "HEAD" ? new Response(null, { status: 405 }) : withToken(request, origin);
  });
  const responses: Response[] = [];
  async function recorded(input: URL | RequestInfo, init?: RequestInit): Promise<Response> {
    const response = await fetch(input, init);
    responses.push(response);
    return response;
  }
  assert.equal(await lookUp(server, { send: recorded }), "absent");
  assert.deepEqual(responses.map(({ status }) => status), [405, 401, 200, 404]);
  assert.ok(responses.every(({ body, bodyUsed }) => body === null || bodyUsed));
});
