/**
 * Environments whose image is built: a real Job on simulated nodes, and a registry that says what it is told to.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { BUILD_LABEL } from "../../lib/build/names.ts";
import { ScriptedRegistry } from "../../lib/registry/scripted_registry.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { environment, EnvironmentTerminal, project, Repository, TEAM, webObjects } from "./environments.ts";
import { condition } from "./previews.ts";

const DIGEST = `sha256:${"0f".repeat(32)}`;
const TYPE = "application/vnd.oci.image.manifest.v1+json";

/** A registry that has the images of these tags. */
function registryWith(tags: ReadonlySet<string>): ScriptedRegistry {
  return new ScriptedRegistry(({ url, method }) => {
    const tag = new URL(url).pathname.split("/").at(-1) ?? "";
    if (!tags.has(tag)) return new Response(null, { status: 404 });
    const headers = { "content-type": TYPE, "docker-content-digest": DIGEST };
    return new Response(method === "HEAD" ? null : "{}", { headers });
  });
}

Deno.test("Environments build the image of their commit", async (t) => {
  const pushed = new Set<string>();
  await using registry = registryWith(pushed);
  await using plane = await startControlPlane({ nodes: 1 });
  const flags = ["--domain=preview.test", "--tls=none", "--git-allow-loopback=true"];
  // Its Pods run for ever.
  flags.push("--build-kaniko-image=example.test/kaniko:unready", "--cleanup-deadline-seconds=5");
  await using _ = await install(plane, { flags: [...flags, `--insecure-registries=${registry.host}`] });
  await using repository = await Repository.open();
  const at = new EnvironmentTerminal(plane);
  await plane.kubectl(["create", "namespace", TEAM]);
  const commit = await repository.commit({ "manifests/web.yaml": webObjects("web", "one") });
  const image = `${registry.host}/acme/web`;
  const namespace = "acme-shop-built";

  async function job(): Promise<KubeObject | undefined> {
    return (await at.list("jobs", "-n", namespace))[0];
  }

  await t.step("an image that is missing is built, from the very commit", async () => {
    await at.create(project("shop", repository.url, { build: { image } }));
    await at.create(environment("built", "shop", { source: { commitSha: commit } }));
    await waitFor("the Job", async () => (await at.env("built"))?.status?.buildJob !== undefined);
    const found = await at.untilEnv("built", "Building", commit);
    assert.equal(found.status.buildJob, (await job())!.metadata.name);
    assert.match(JSON.stringify((await job())!.spec), new RegExp(commit));
  });

  await t.step("its Pod is admitted and is given no account", async () => {
    await waitFor("the Pod of the build", async () => (await at.list("pods", "-n", namespace)).length === 1);
    const [pod] = await at.list("pods", "-n", namespace);
    assert.equal(pod!.spec.automountServiceAccountToken, false);
  });

  await t.step("what was pushed is deployed by its digest", async () => {
    pushed.add(commit);
    const found = await at.untilEnv("built", "Ready", commit);
    assert.equal(found.status.image, `${image}@${DIGEST}`);
    assert.equal(found.status.buildJob, undefined);
    const app = await at.get("deployment", "web", namespace);
    assert.equal(app!.spec.template.spec.containers[0].image, `${image}:${commit}@${DIGEST}`);
  });

  await t.step("another environment of the commit builds nothing", async () => {
    await at.create(environment("second", "shop", { source: { commitSha: commit } }));
    await at.untilEnv("second", "Ready", commit);
    assert.deepEqual(await at.list("jobs", "-n", "acme-shop-second"), []);
  });

  await t.step("a build that is needed no more is cancelled", async () => {
    await at.patch("proj", "shop", { spec: { build: { builder: "kaniko" } } }, TEAM);
    const newer = await repository.commit({ "manifests/web.yaml": webObjects("web", "two") });
    await at.patch("env", "built", { spec: { source: { commitSha: newer } } }, TEAM);
    const building = await at.untilEnv("built", "Building", newer);
    assert.match(condition(building, "BuildReady")!.message, new RegExp(newer));
    await at.patch("env", "built", { spec: { source: { commitSha: commit } } }, TEAM);
    await at.untilEnv("built", "Ready", commit);
    const names = (await at.list("jobs", "-n", namespace)).map(({ metadata }) => metadata.name);
    assert.ok(!names.includes(building.status.buildJob), "the Job is gone");
  });

  await t.step("deletion ends a build that runs, and names its Pod until that is over", async () => {
    const running = await repository.commit({ "manifests/web.yaml": webObjects("web", "three") });
    await at.patch("env", "built", { spec: { source: { commitSha: running } } }, TEAM);
    const { status } = (await waitUntil(
      "the build of the commit",
      () => at.env("built"),
      (found) => found!.status.commit === running && found!.status.buildJob !== undefined,
    ))!;
    const label = `${BUILD_LABEL}=${status.buildJob}`;
    const pods = (): Promise<KubeObject[]> => at.list("pods", "-n", namespace, "-l", label);
    await waitFor("the build to run", async () => (await pods())[0]?.status.phase === "Running");
    await plane.kubectl(["delete", "env", "built", "-n", TEAM, "--wait=false"]);
    const [pod] = await waitUntil("its Pod to be deleted", pods, ([found]) => !!found?.metadata.deletionTimestamp);
    const { name } = pod!.metadata;
    const { message } = condition(await at.untilReason("built", "DeletionBlocked"), "Stalled")!;
    assert.match(message, new RegExp(`Pod "${name}" is still there, held by finalizer`));
    // A real kubelet says so when the containers have ended; simulated nodes never do.
    const over = JSON.stringify({ status: { phase: "Failed" } });
    await plane.kubectl(["patch", "pod", name, "-n", namespace, "--subresource=status", "--type=merge", "-p", over]);
    await at.untilGone("env", "built", TEAM);
  });

  await t.step("deletion takes the Jobs along", async () => {
    await plane.kubectl(["delete", "env", "--all", "-n", TEAM, "--timeout=180s"]);
    assert.deepEqual(await at.list("jobs", "-A"), []);
  });
});
