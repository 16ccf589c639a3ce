/** The registry client against github.com/distribution/distribution, the registry that most others are made of. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { parseReference } from "../../lib/image/reference.ts";
import { Keyring, readKeyring } from "../../lib/registry/docker_config.ts";
import { RegistryError, type RegistryFault } from "../../lib/registry/errors.ts";
import { createRegistry, type InspectedImage, type RegistryOptions } from "../../lib/registry/registry.ts";
import { trustingFetch } from "../../lib/registry/trust.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { Authority } from "../control_plane/certificates.ts";
import { pushImage, pushIndex } from "./push.ts";
import { RealRegistry } from "./real_registry.ts";
import { TokenServer } from "./token_server.ts";

const NEVER = new AbortController().signal;
const NOBODY = `sha256:${"0f".repeat(32)}`;
/** `ann:secret`, by bcrypt. */
const HTPASSWD = "ann:$2a$05$2uU39Ds/ujhiLt2KpXM6ZO5oDhBcbD1moV0TD2Ng/yMzeGNL7A4TG\n";

interface Asked extends Partial<RegistryOptions> {
  keyring?: Keyring;
  platforms?: boolean;
}

/** Looks an image up as the operator does. */
async function inspect(image: string, asked: Asked = {}): Promise<InspectedImage> {
  const { keyring, platforms, ...options } = asked;
  const parsed = parseReference(image);
  assert.ok(parsed.ok);
  const registry = createRegistry({
    fetch,
    insecureRegistries: [parsed.reference.domain!],
    clock: systemClock,
    ...options,
  });
  return await registry.inspect(parsed.reference, { keyring, platforms, signal: NEVER });
}

async function fault(asking: Promise<unknown>): Promise<RegistryFault> {
  const error = await asking.then(() => undefined, (error) => error);
  assert.ok(error instanceof RegistryError, String(error));
  return error.fault;
}

/** A Secret as `kubectl create secret docker-registry` makes it. */
function keyringFor(host: string, login: string): Keyring {
  const config = { auths: { [host]: { auth: Buffer.from(login).toString("base64") } } };
  const data = { ".dockerconfigjson": Buffer.from(JSON.stringify(config)).toString("base64") };
  const parsed = readKeyring({ type: "kubernetes.io/dockerconfigjson", data });
  assert.ok(parsed.ok);
  return parsed.keyring;
}

async function withFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "maquette-registry-test-" });
  try {
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("images and indexes of both kinds are found by tag and by digest", async () => {
  await using registry = await RealRegistry.start();
  const target = { origin: registry.origin, repository: "acme/shop" };
  const image = `${registry.host}/acme/shop`;
  for (const [kind, vendor] of [["oci", "vnd.oci"], ["docker", "vnd.docker"]] as const) {
    const digest = await pushImage(target, `${kind}-1`, kind);
    for (const name of [`${image}:${kind}-1`, `${image}@${digest}`]) {
      const found = await inspect(name);
      assert.ok(found.exists, name);
      assert.equal(found.digest, digest);
      assert.ok(found.mediaType.includes(vendor));
    }
    const index = await pushIndex(target, `${kind}-2`, kind);
    const found = await inspect(`${image}:${kind}-2`, { platforms: true });
    assert.ok(found.exists);
    assert.equal(found.digest, index);
    assert.deepEqual(found.platforms?.map(({ architecture }) => architecture), ["amd64", "arm64"]);
  }
});

Deno.test("a tag, a digest and a repository that are not there are missing", async () => {
  await using registry = await RealRegistry.start();
  await pushImage({ origin: registry.origin, repository: "acme/shop" }, "v1");
  for (const name of ["acme/shop:v2", `acme/shop@${NOBODY}`, "acme/other:v1"]) {
    assert.deepEqual(await inspect(`${registry.host}/${name}`), { exists: false });
  }
});

Deno.test("a registry with names and passwords lets in who has them", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "htpasswd");
    await Deno.writeTextFile(path, HTPASSWD);
    await using registry = await RealRegistry.start({ auth: { htpasswd: { realm: "test", path } } });
    const authorization = `Basic ${Buffer.from("ann:secret").toString("base64")}`;
    await pushImage({ origin: registry.origin, repository: "acme/shop", authorization }, "v1");
    const image = `${registry.host}/acme/shop:v1`;
    assert.ok((await inspect(image, { keyring: keyringFor(registry.host, "ann:secret") })).exists);
    assert.equal(await fault(inspect(image)), "denied");
    assert.equal(await fault(inspect(image, { keyring: keyringFor(registry.host, "ann:wrong") })), "denied");
    assert.equal(await fault(inspect(image, { keyring: keyringFor("ghcr.io", "ann:secret") })), "denied");
  });
});

Deno.test("a registry with a token server lets in by token, one token for many looks", async () => {
  await withFolder(async (folder) => {
    const jwks = join(folder, "keys.json");
    const rights = { "": { password: "", actions: [] }, "ann": { password: "secret", actions: ["pull"] } };
    await using tokens = await TokenServer.start(rights, jwks);
    const { realm } = tokens;
    await using registry = await RealRegistry.start({
      auth: { token: { realm, service: "registry", issuer: "test", jwks } },
    });
    const target = { origin: registry.origin, repository: "acme/shop" };
    const authorization = await tokens.authorization("acme/shop", ["pull", "push"]);
    const digest = await pushImage({ ...target, authorization }, "v1");
    const client = createRegistry({ fetch, insecureRegistries: [registry.host], clock: systemClock });
    const options = { keyring: keyringFor(registry.host, "ann:secret"), signal: NEVER };
    const reference = { domain: registry.host, path: "acme/shop", tag: "v1" };
    for (let look = 0; look < 3; look++) {
      const found = await client.inspect(reference, options);
      assert.ok(found.exists);
      assert.equal(found.digest, digest);
    }
    assert.deepEqual(await client.inspect({ ...reference, tag: "v2" }, options), { exists: false });
    assert.deepEqual(tokens.asked, ["ann ?service=registry&scope=repository%3Aacme%2Fshop%3Apull"]);
    assert.equal(await fault(client.inspect(reference, { signal: NEVER })), "denied");
    assert.equal(await client.exists(reference, { signal: NEVER }), "unknown");
    assert.equal(
      await fault(inspect(`${registry.host}/acme/shop:v1`, { keyring: keyringFor(registry.host, "eve:x") })),
      "denied",
    );
  });
});

Deno.test("a registry with an authority of its own is trusted when that is given", async () => {
  await withFolder(async (folder) => {
    const [authority, other] = [await Authority.create(new Date()), await Authority.create(new Date())];
    const tls = { certificate: join(folder, "tls.crt"), key: join(folder, "tls.key") };
    const pair = await authority.issue({ commonName: "registry", hosts: ["127.0.0.1"] });
    await Deno.writeTextFile(tls.certificate, pair.certificate);
    await Deno.writeTextFile(tls.key, pair.key);
    await using registry = await RealRegistry.start({ tls });
    const bundle = [other.pair.certificate, authority.pair.certificate].join("\n");
    using trusting = trustingFetch([bundle]);
    await pushImage({ origin: registry.origin, repository: "acme/shop", fetch: trusting.fetch }, "v1");
    const image = `${registry.host}/acme/shop:v1`;
    assert.ok((await inspect(image, { fetch: trusting.fetch, insecureRegistries: [] })).exists);
    using distrusting = trustingFetch([other.pair.certificate]);
    assert.equal(await fault(inspect(image, { fetch: distrusting.fetch, insecureRegistries: [] })), "untrusted");
    assert.equal(await fault(inspect(image, { insecureRegistries: [] })), "untrusted");
    const byName = `localhost:${registry.host.split(":")[1]}/acme/shop:v1`;
    assert.equal(await fault(inspect(byName, { fetch: trusting.fetch, insecureRegistries: [] })), "untrusted");
  });
});

Deno.test("a registry without TLS is unreachable unless it is listed", async () => {
  await using registry = await RealRegistry.start();
  assert.equal(await fault(inspect(`${registry.host}/acme/shop:v1`, { insecureRegistries: [] })), "unreachable");
});

Deno.test("a mirror answers for its registry, which is asked for what the mirror has not", async () => {
  await using registry = await RealRegistry.start();
  await using mirror = await RealRegistry.start();
  const insecureRegistries = [registry.host, mirror.host];
  const mirrors = new Map([[registry.host, [`${mirror.host}/copies`]]]);
  const inMirror = await pushImage({ origin: mirror.origin, repository: "copies/acme/shop" }, "v1", "docker");
  await pushImage({ origin: registry.origin, repository: "acme/shop" }, "v1");
  const behind = await pushImage({ origin: registry.origin, repository: "acme/shop" }, "v2");
  for (const [tag, digest] of [["v1", inMirror], ["v2", behind]]) {
    const found = await inspect(`${registry.host}/acme/shop:${tag}`, { mirrors, insecureRegistries });
    assert.ok(found.exists);
    assert.equal(found.digest, digest);
  }
});
