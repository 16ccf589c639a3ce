/**
 * The contract for web applications, as docs/environments.md has it, told by the example that it points to.
 *
 * @module
 */
import assert from "node:assert/strict";
import { EnvironmentClient, Refused, type Send } from "../../docs/examples/environment_client.ts";
import { kubeconfigCredentials } from "../../lib/kube/credentials.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { waitFor } from "../wait.ts";
import { project, Repository, TEAM, webObjects } from "./environments.ts";
import { Terminal } from "./previews.ts";

const FLAGS = ["--domain=preview.test", "--tls=none", "--git-allow-loopback=true"];
const EVERY_MS = 100;
const PATIENCE_MS = 180_000;

Deno.test("a web application makes an Environment, follows it, changes it and deletes it", async (t) => {
  await using plane = await startControlPlane({ nodes: 1 });
  await using _installed = await install(plane, { flags: FLAGS });
  await using repository = await Repository.open();
  const at = new Terminal(plane);
  await plane.kubectl(["create", "namespace", TEAM]);
  const first = await repository.commit({ "manifests/web.yaml": webObjects("web", "one") });
  await at.create(project("shop", repository.url));

  // As a team's own client: a ServiceAccount that may edit Environments of its namespace, and nothing else.
  await plane.kubectl(["create", "serviceaccount", "web", "-n", TEAM]);
  const verbs = "--verb=get,list,watch,create,patch,delete";
  await plane.kubectl(["create", "role", "web", "-n", TEAM, verbs, "--resource=environments.catalyst.catalyst.dev"]);
  await plane.kubectl(["create", "rolebinding", "web", "-n", TEAM, "--role=web", `--serviceaccount=${TEAM}:web`]);
  const { server, ca } = await kubeconfigCredentials(plane.kubeconfigPath);
  const token = (await plane.kubectl(["create", "token", "web", "-n", TEAM])).stdout.trim();
  using http = Deno.createHttpClient({ caCerts: [ca!] });
  const send: Send = (path, init) => {
    const headers = { ...init?.headers as Record<string, string>, authorization: `Bearer ${token}` };
    return fetch(`${server}/${path}`, { ...init, headers, client: http });
  };
  const client = new EnvironmentClient(send);
  const wanted = { name: "pr-7", namespace: TEAM, project: "shop", commitSha: first, prNumber: 7 };
  const patience = (): AbortSignal => AbortSignal.timeout(PATIENCE_MS);

  await t.step("it becomes Ready, and says on the way where it stands", async () => {
    await waitFor("the role to be known", () => client.apply(wanted));
    const told: string[] = [];
    const { status } = await client.settled(wanted, {
      every: EVERY_MS,
      signal: patience(),
      tell: (text) => told.push(text),
    });
    assert.equal(status!.phase, "Ready", told.join("\n"));
    assert.equal(status!.url, "http://pr-7.preview.test");
    assert.equal(status!.commit, first);
    assert.match(told.at(-1)!, /^Ready \(Ready\): Commit "[0-9a-f]{40}" serves at http:\/\/pr-7\.preview\.test$/);
  });

  await t.step("a commit that does not exist is told, and the one before keeps serving", async () => {
    await client.apply({ ...wanted, commitSha: "0".repeat(40) });
    const { status } = await client.settled(wanted, { every: EVERY_MS, signal: patience() });
    assert.equal(status!.phase, "Failed");
    assert.match(status!.conditions!.find(({ type }) => type === "Ready")!.message, new RegExp(`"${first}" keeps`));
  });

  await t.step("the next commit mends it", async () => {
    const second = await repository.commit({ "manifests/web.yaml": webObjects("web", "two") });
    await client.apply({ ...wanted, commitSha: second });
    const { status } = await client.settled(wanted, { every: EVERY_MS, signal: patience() });
    assert.deepEqual([status!.phase, status!.commit], ["Ready", second]);
  });

  await t.step("what is wrong is refused at once, with every field", async () => {
    const wrong = client.apply({ ...wanted, name: "pr-8", commitSha: "not a commit", prNumber: -1 });
    await assert.rejects(
      wrong,
      (error) =>
        error instanceof Refused && error.status === 422 && /commitSha/.test(error.message) &&
        /prNumber/.test(error.message),
    );
  });

  await t.step("it is gone after its deletion", async () => {
    await client.delete(wanted);
    await assert.rejects(client.settled(wanted, { every: EVERY_MS, signal: patience() }), { status: 404 });
    assert.equal(await at.get("namespace", "acme-shop-pr-7", ""), undefined);
  });
});
