import assert from "node:assert/strict";
import type { ImageReference } from "../image/reference.ts";
import { FakeClock } from "../runtime/fake_clock.ts";
import { type Credential, Keyring } from "./docker_config.ts";
import { createRegistry, type InspectedImage, type Registry } from "./registry.ts";
import { ScriptedRegistry } from "./scripted_registry.ts";

const NEVER = new AbortController().signal;

/** A registry that lets in the tokens that it gave, as long as it likes. */
class TokenRegistry implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly good = new Set<string>();
  readonly server: ScriptedRegistry;
  readonly client: Registry;

  constructor(expiresIn: number | undefined) {
    this.server = new ScriptedRegistry((request, origin) => {
      const given = `Bearer t${this.good.size}`;
      if (request.url.includes("/token")) {
        this.good.add(given);
        return Response.json({ token: given.slice("Bearer ".length), expires_in: expiresIn });
      }
      if (this.good.has(request.headers.get("authorization") ?? "")) return new Response(null, { status: 404 });
      return new Response(null, { status: 401, headers: { "www-authenticate": `Bearer realm="${origin}/token"` } });
    });
    this.client = createRegistry({ fetch, insecureRegistries: [this.server.host], clock: this.clock });
  }

  /** How many requests one look takes. */
  async look(path: string, credential?: Credential): Promise<number> {
    const before = this.server.received.length;
    const ref: ImageReference = { domain: this.server.host, path, tag: "v1" };
    const keyring = credential && new Keyring([{ place: this.server.host, credential }]);
    const found: InspectedImage = await this.client.inspect(ref, { keyring, signal: NEVER });
    assert.equal(found.exists, false);
    return this.server.received.length - before;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

Deno.test("a token is used again until it is about to run out", async () => {
  await using registry = new TokenRegistry(300);
  assert.equal(await registry.look("a"), 3);
  assert.equal(await registry.look("a"), 1);
  await registry.clock.advance(285_000);
  assert.equal(await registry.look("a"), 1);
  await registry.clock.advance(10_000);
  assert.equal(await registry.look("a"), 3);
});

Deno.test("a token without a time holds for the minute of the specification, less a margin", async () => {
  await using registry = new TokenRegistry(undefined);
  await registry.look("a");
  await registry.clock.advance(49_000);
  assert.equal(await registry.look("a"), 1);
  await registry.clock.advance(2_000);
  assert.equal(await registry.look("a"), 3);
});

Deno.test("a token is kept an hour at most, whatever its server says", async () => {
  await using registry = new TokenRegistry(1e12);
  await registry.look("a");
  await registry.clock.advance(3_601_000);
  assert.equal(await registry.look("a"), 3);
});

Deno.test("a token is for one repository and one credential", async () => {
  await using registry = new TokenRegistry(300);
  await registry.look("a");
  assert.equal(await registry.look("b"), 3);
  const ann = { username: "ann", password: "x" };
  assert.equal(await registry.look("a", ann), 3);
  assert.equal(await registry.look("a", ann), 1);
  assert.equal(await registry.look("a", { ...ann, password: "y" }), 3);
});

Deno.test("a token that is refused before its time is asked for again", async () => {
  await using registry = new TokenRegistry(300);
  await registry.look("a");
  registry.good.clear();
  assert.equal(await registry.look("a"), 3);
});

Deno.test("not every token of every repository is kept", async () => {
  await using registry = new TokenRegistry(300);
  for (let at = 0; at <= 500; at++) await registry.look(`a${at}`);
  assert.equal(await registry.look("a500"), 1);
  assert.equal(await registry.look("a0"), 3);
});
