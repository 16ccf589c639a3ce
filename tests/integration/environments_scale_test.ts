/**
 * Many Environments over many Projects on the simulated nodes: all become Ready, one commit is fetched once, and a change
 * of one Project concerns its own.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { auditMark, requestsSince, writes } from "../audit.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { waitUntil } from "../wait.ts";
import { environment, EnvironmentTerminal, project, Repository, TEAM, webObjects } from "./environments.ts";
import { condition, OPERATOR } from "./previews.ts";

const PROJECTS = Number(Deno.env.get("PROJECTS") ?? 4);
const EACH = 10;
const TIMEOUT_MS = 400_000;

Deno.test("many Environments over many Projects", async (t) => {
  await using plane = await startControlPlane({ nodes: 4 });
  const flags = ["--domain=preview.test", "--tls=none", "--git-allow-loopback=true"];
  await using installed = await install(plane, { flags });
  await using repository = await Repository.open();
  const at = new EnvironmentTerminal(plane);
  await plane.kubectl(["create", "namespace", TEAM]);
  const chart = { "chart/Chart.yaml": { apiVersion: "v2", name: "shop", version: "0.1.0" } };
  const commitSha = await repository.commit({ ...chart, "chart/templates/all.yaml": webObjects("web", "one") });
  const names = Array.from({ length: PROJECTS }, (_, index) => `p${index}`);

  async function phases(): Promise<string> {
    const counted: Record<string, number> = {};
    for (const { status } of await at.list("env", "-n", TEAM)) {
      const phase = status?.phase ?? "none";
      counted[phase] = (counted[phase] ?? 0) + 1;
    }
    return JSON.stringify(counted);
  }

  await t.step("all become Ready, and the commit is fetched once", async () => {
    const deployment = { type: "helm", path: "chart" };
    await at.create(...names.map((name) => project(name, repository.url, { deployment })));
    const all = names.flatMap((name) =>
      Array.from({ length: EACH }, (_, index) => environment(`${name}-e${index}`, name, { source: { commitSha } }))
    );
    const before = repository.requests;
    await at.create(...all);
    await waitUntil("all Environments", phases, (seen) => seen === `{"Ready":${all.length}}`, TIMEOUT_MS);
    assert.ok(repository.requests - before <= 3, `${repository.requests - before} requests to the git server`);
    assert.equal(await installed.metric("maquette_watch_missed_events_total"), 0);
  });

  await t.step("a change of a Project rolls its Environments and touches no other", async () => {
    const mark = await auditMark(plane.auditLogPath!);
    const patch = { spec: { deployment: { values: { maquette: { service: "missing" } } } } };
    await at.patch("proj", "p1", patch, TEAM);
    const isRolled = (env: KubeObject): boolean =>
      !env.metadata.name.startsWith("p1-") || condition(env, "IngressReady")?.reason === "ServiceMissing";
    await waitUntil(
      "its Environments to follow",
      () => at.list("env", "-n", TEAM),
      (found) => found.every(isRolled),
      TIMEOUT_MS,
    );
    const made = writes(await requestsSince(plane.auditLogPath!, mark, OPERATOR));
    const touched = made.map(({ uri }) => uri).filter((uri) => /\/(environments|namespaces)\//.test(uri));
    const others = touched.filter((uri) => uri.includes("/environments/") && !uri.includes("/environments/p1-"));
    assert.deepEqual(others, []);
    assert.ok(touched.filter((uri) => uri.includes("/environments/p1-")).length <= 3 * EACH, touched.join("\n"));
  });
});
