/**
 * Whom a host belongs to where nobody was asked at admission: what the controllers of the three kinds make of it alone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { isOlder, type KubeObject } from "../../lib/api/object.ts";
import { statusRules } from "../../lib/runtime/status_rules.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { app } from "./apps.ts";
import { environment, project, Repository, TEAM, webObjects } from "./environments.ts";
import { condition, preview, Terminal } from "./previews.ts";

const FLAGS = ["--domain=preview.test", "--tls=none", "--git-allow-loopback=true"];
const HOST = "pr-7.preview.test";

type Kind = "prenv" | "env" | "papp";

function appAt(name: string, host = HOST): KubeObject {
  return app(name, { ingress: { enabled: true, host } }, { namespace: TEAM });
}

function previewIn(name: string, namespace?: string): KubeObject {
  return preview(7, namespace ? { namespace } : {}, { name, namespace: TEAM });
}

/** Somebody who looks at hosts. */
class HostTerminal extends Terminal {
  /** Times of creation have seconds: what is created afterwards is younger. */
  override async create(...objects: unknown[]): Promise<void> {
    await super.create(...objects);
    const second = Math.floor(Date.now() / 1000);
    await waitFor("the next second", () => Date.now() / 1000 > second + 1);
  }

  async owner(kind: Kind, name: string): Promise<KubeObject | undefined> {
    return await this.get(kind, name, TEAM);
  }

  async untilOwner(kind: Kind, name: string, reason: string): Promise<KubeObject> {
    const found = await waitUntil(
      `${kind} ${name} to say ${reason}`,
      () => this.owner(kind, name),
      (object) => condition(object, "Ready")?.reason === reason,
      60_000,
    );
    assert.deepEqual(statusRules(found!), []);
    return found!;
  }

  /** Waits until one is kept from its host. @returns By whom. */
  async untilTaken(kind: Kind, name: string): Promise<string> {
    return condition(await this.untilOwner(kind, name, "HostTaken"), "Stalled")!.message;
  }

  /** Who serves a host, by the annotations of its Ingresses. */
  async servers(host = HOST): Promise<string[]> {
    const ingresses = await this.list("ingress", "-A");
    return ingresses.filter(({ spec }) => spec.rules.some((rule: { host?: string }) => rule.host === host))
      .map(({ metadata }) => metadata.annotations!["maquette.dev/owner"]!.replace(/^.*\//, ""));
  }

  /** Waits until one alone serves a host. */
  async untilServed(host: string, name: string): Promise<void> {
    const isAlone = (names: string[]): boolean => names.length === 1 && names[0] === name;
    await waitUntil(`${host} to be served by ${name}`, () => this.servers(host), isAlone, 60_000);
  }

  /** The name of the one that was made first. */
  async older(...owners: readonly [kind: Kind, name: string][]): Promise<string> {
    const found = await Promise.all(owners.map(([kind, name]) => this.owner(kind, name)));
    return found.reduce((first, each) => isOlder(each!, first!) ? each : first)!.metadata.name;
  }

  /** Deletes one, and does not wait. */
  async drop(kind: Kind, name: string): Promise<void> {
    await this.remove(kind, name, TEAM, "--wait=false");
  }
}

Deno.test("with admission away, a host has one owner, whatever the kinds, and the next one follows", async (t) => {
  await using plane = await startControlPlane({ nodes: 1 });
  await using _operator = await install(plane, { flags: FLAGS, webhook: false });
  await using repository = await Repository.open();
  const at = new HostTerminal(plane);
  await plane.kubectl(["create", "namespace", TEAM]);
  const source = { commitSha: await repository.commit({ "manifests/web.yaml": webObjects("web", "one") }) };
  const sameName = environment("pr-7", "shop", { source });
  await at.create(project("shop", repository.url));

  await t.step("an application waits for a preview, and serves when that goes", async () => {
    await at.create(previewIn("first"));
    await at.untilOwner("prenv", "first", "Ready");
    await at.create(appAt("second"));
    assert.match(await at.untilTaken("papp", "second"), /^Host "pr-7.preview.test" belongs to PreviewEnvironment/);
    assert.deepEqual(await at.servers(), ["first"]);
    await at.drop("prenv", "first");
    await at.untilOwner("papp", "second", "Ready");
    assert.deepEqual(await at.servers(), ["second"]);
  });

  await t.step("a preview and another application wait for an application; the older of them is next", async () => {
    await at.create(previewIn("third"));
    assert.match(await at.untilTaken("prenv", "third"), /belongs to PortfolioApp "acme\/second"$/);
    await at.create(appAt("fourth"));
    await at.untilTaken("papp", "fourth");
    assert.deepEqual(await at.servers(), ["second"]);
    await at.drop("papp", "second");
    await at.untilServed(HOST, await at.older(["prenv", "third"], ["papp", "fourth"]));
  });

  await t.step(
    "a preview in another namespace waits for the preview, and an Environment takes another host",
    async () => {
      await at.create(previewIn("fifth", "elsewhere"));
      await at.untilTaken("prenv", "fifth");
      await at.create(sameName);
      const { status } = await at.untilOwner("env", "pr-7", "Ready");
      assert.equal(status.host, "pr-7-shop-acme.preview.test");
      await at.remove("env", "pr-7", TEAM);
    },
  );

  await t.step("who takes a host away that an older one asks for is told, and its way in goes", async () => {
    await at.create(appAt("younger", "b.example.com"));
    await at.untilOwner("papp", "younger", "Ready");
    await at.patch("papp", "fourth", { spec: { ingress: { host: "b.example.com" } } }, TEAM);
    assert.match(await at.untilTaken("papp", "younger"), /belongs to PortfolioApp "acme\/fourth"$/);
    await at.untilServed("b.example.com", "fourth");
    await at.patch("papp", "fourth", { spec: { ingress: { enabled: false } } }, TEAM);
    await at.untilServed("b.example.com", "younger");
  });

  await t.step("previews and applications wait for an Environment that has the host", async () => {
    for (const name of ["third", "fifth"]) await at.remove("prenv", name, TEAM);
    await at.create(sameName);
    assert.equal((await at.untilOwner("env", "pr-7", "Ready")).status.host, HOST);
    await at.create(previewIn("late"), appAt("later"));
    for (const [kind, name] of [["prenv", "late"], ["papp", "later"]] as const) {
      assert.match(await at.untilTaken(kind, name), /belongs to Environment "acme\/pr-7"$/);
    }
    assert.deepEqual(await at.servers(), ["pr-7"]);
    await at.drop("env", "pr-7");
    await at.untilServed(HOST, await at.older(["prenv", "late"], ["papp", "later"]));
  });
});
