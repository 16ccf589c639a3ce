/** Whatever a registry answers, there is an answer or a {@link RegistryError}, soon, and every body is let go. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Keyring } from "./docker_config.ts";
import { RegistryError } from "./errors.ts";
import { createRegistry } from "./registry.ts";

const NEVER = new AbortController().signal;
const DIGEST = `sha256:${"0f".repeat(32)}`;
const PASSWORD = "hunter2-secret";

const types = fc.constantFrom(
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "text/html",
  "application/json; charset=x",
  ";",
);
const challenge = fc.oneof(
  fc.constantFrom(
    'Bearer realm="https://auth.example.com/token",service="s"',
    'Bearer realm="https://169.254.169.254/",scope="a b"',
    'Bearer realm="http://auth.example.com/"',
    'Basic realm="x"',
    "Bearer",
  ),
  fc.string({ unit: "grapheme-ascii", maxLength: 40 }),
);
const location = fc.oneof(
  fc.constantFrom(
    "/v2/",
    "https://other.example.com/",
    "http://r.example.com/",
    "https://[",
    "https://127.0.0.1/",
    "//x",
  ),
  fc.webUrl(),
);
const body = fc.oneof(
  fc.json(),
  fc.string(),
  fc.constantFrom('{"token":"t","expires_in":-1}', '{"token":"\\n"}', '{"errors":[{"code":"NAME_UNKNOWN"}]}'),
  fc.constantFrom('{"schemaVersion":2,"manifests":[{"platform":7}]}', '{"schemaVersion":2,"layers":[]}'),
);
const headers = fc.record({
  "content-type": types,
  "docker-content-digest": fc.constantFrom(DIGEST, "sha256:x", "md5:0", `${DIGEST}0`),
  "www-authenticate": challenge,
  "location": location,
  "retry-after": fc.constantFrom("1", "-1", "1e9", "Wed, 21 Oct 2015 07:28:00 GMT", "soon"),
}, { requiredKeys: [] });
const status = fc.constantFrom(200, 201, 204, 301, 302, 307, 400, 401, 403, 404, 405, 418, 429, 500, 503);
const answers = fc.array(fc.record({ status, headers, body }), { minLength: 1, maxLength: 6 });

Deno.test("inspect() answers or says why not, whatever registries answer", async () => {
  await fc.assert(
    fc.asyncProperty(answers, fc.boolean(), fc.boolean(), async (script, platforms, isByDigest) => {
      const responses: Response[] = [];
      function answer(_: URL | RequestInfo, init?: RequestInit): Promise<Response> {
        const { status, headers, body } = script[responses.length % script.length]!;
        const response = new Response(init?.method === "HEAD" || status === 204 ? null : body, { status, headers });
        responses.push(response);
        return Promise.resolve(response);
      }
      const registry = createRegistry({
        fetch: answer,
        insecureRegistries: [],
        mirrors: new Map([["r.example.com", ["m.io"]]]),
      });
      const places = ["r.example.com", "m.io"];
      const keyring = new Keyring(
        places.map((place) => ({ place, credential: { username: "u", password: PASSWORD } })),
      );
      const ref = { domain: "r.example.com", path: "a", ...(isByDigest ? { digest: DIGEST } : { tag: "v1" }) };
      const found = await registry.inspect(ref, { keyring, platforms, signal: NEVER }).catch((error) => error);
      if (found instanceof Error) {
        assert.ok(found instanceof RegistryError, found.stack);
        assert.ok(!found.message.includes(PASSWORD) && found.message.length < 1_000);
      } else if (found.exists) assert.match(found.digest, /^sha256:[0-9a-f]{64}$/);
      assert.ok(responses.length <= 40);
      assert.ok(responses.every(({ body, bodyUsed }) => body === null || bodyUsed));
    }),
    { numRuns: 1_000 },
  );
});
