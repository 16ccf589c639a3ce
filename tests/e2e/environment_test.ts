/**
 * Environments on a real node, from a commit in a private repository to what answers at their URLs.
 */
import assert from "node:assert/strict";
import { waitFor } from "../wait.ts";
import { environment, EnvironmentTerminal, project, TEAM } from "../integration/environments.ts";
import { condition } from "../integration/previews.ts";
import { Answers } from "./answers.ts";
import { Cluster, DOMAIN, NAMESPACE } from "./cluster.ts";
import { Forge } from "./forge.ts";
import { loadKaniko } from "./images.ts";
import { KANIKO } from "./kaniko.ts";
import { isEndToEnd, settings } from "./settings.ts";
import { chart, dockerfile, folder, kustomization } from "./sources.ts";
import { Transcript } from "./transcript.ts";

const BUILD_MS = 300_000;
const SHOP = "acme-shop-pr-7";

const canBuild = isEndToEnd && settings().registry !== "";

Deno.test({ name: "environments on a real node", ignore: !canBuild }, async (t) => {
  const { registry, registryRange, buildFlags, gitImage, enforcesPolicies } = settings();
  await using cluster = await Cluster.prepare();
  await loadKaniko(cluster.settings);
  const { plane } = cluster;
  const at = new EnvironmentTerminal(plane);
  await using forge = await Forge.open(cluster, gitImage);
  await at.apply(authorities(forge.authority));
  const ranges = [...await forge.ranges(), registryRange].filter((range) => range !== "");
  const kaniko = [`--build-kaniko-image=${KANIKO}`, `--build-git-image=${gitImage}`];
  const reachable = [`--build-allowed-ranges=${ranges.join(",")}`, `--insecure-registries=${registry}`];
  await cluster.install([
    ...reachable,
    "--registry-ca-file=/etc/maquette/authorities/ca.crt",
    ...kaniko,
    ...buildFlags,
  ]);
  const transcript = new Transcript();
  transcript.section("Environments, from commits to their end");
  await at.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: TEAM } }, ...forge.logins(TEAM));
  const source = { commitSha: await forge.commit("shop", { ...await dockerfile("one"), ...chart() }) };

  await t.step("a commit of a private repository is built without privileges and answers at its URL", async () => {
    await at.create(
      project("shop", "", {
        source: forge.https("shop"),
        deployment: { type: "helm", path: "chart" },
        build: { image: `${registry}/acme/shop` },
      }),
      environment("pr-7", "shop", { source: { ...source, prNumber: 7 } }),
    );
    const pod = await waitFor("the Pod of the build", async () => {
      const pods = await at.list("pods", "-n", SHOP, "-l", "batch.kubernetes.io/job-name");
      return pods[0];
    }, BUILD_MS);
    const { labels } = (await at.get("namespace", SHOP))!.metadata;
    assert.equal(labels!["pod-security.kubernetes.io/enforce"], "baseline");
    assert.equal(pod.spec.automountServiceAccountToken, false);
    const ready = await at.untilEnv("pr-7", "Ready", source.commitSha, BUILD_MS);
    assert.match(ready.status.image, new RegExp(`^${registry}/acme/shop@sha256:`));
    const answer = await cluster.untilAnswers(`http://pr-7.${DOMAIN}/`, ({ status }) => status === 200);
    assert.match(answer.text, /^web one on /);
    transcript.quote("kubectl get env -n acme pr-7", (await plane.kubectl(["get", "env", "-n", TEAM, "pr-7"])).stdout);
    transcript.quote("status.image", ready.status.image);
    transcript.quote(`GET ${ready.status.url}`, `${answer.status} ${answer.text}`);
  });

  await t.step("a second commit rolls it without a gap", async () => {
    const commitSha = await forge.commit("shop", await dockerfile("two"));
    await using answers = new Answers(cluster, `http://pr-7.${DOMAIN}/`);
    await at.patch("env", "pr-7", { spec: { source: { commitSha } } }, TEAM);
    await at.untilEnv("pr-7", "Ready", commitSha, BUILD_MS);
    const answer = await cluster.untilAnswers(`http://pr-7.${DOMAIN}/`, ({ text }) => text.startsWith("web two"));
    assert.deepEqual(await answers.failures(), []);
    transcript.quote(`GET http://pr-7.${DOMAIN}/ after the second commit`, `${answer.status} ${answer.text}`);
    transcript.say(`${answers.count} requests meanwhile, each answered with 200`);
  });

  await t.step("a build that fails says why, and the version before keeps answering", async () => {
    const broken = await forge.commit("shop", { Dockerfile: 'FROM scratch\nCOPY web /web\nRUN ["/web", "crash"]\n' });
    await at.patch("env", "pr-7", { spec: { source: { commitSha: broken } } }, TEAM);
    const failed = await at.untilEnv("pr-7", "Failed", broken, BUILD_MS);
    const { message } = condition(failed, "BuildReady")!;
    assert.match(message, /panic: cannot open/);
    assert.match((await cluster.ask(`http://pr-7.${DOMAIN}/`)).text, /^web two/);
    transcript.quote("condition BuildReady of a build that fails", message);
  });

  await t.step("an overlay fetched over SSH answers, with the prebuilt image that it names", async () => {
    const commitSha = await forge.commit("blog", kustomization("v1"));
    const deployment = { type: "kustomize", path: "overlays/preview" };
    await at.create(
      project("blog", "", { source: forge.ssh("blog"), deployment }),
      environment("blog-1", "blog", { type: "deployment", source: { commitSha } }),
    );
    const ready = await at.untilEnv("blog-1", "Ready", commitSha, BUILD_MS);
    const answer = await cluster.untilAnswers(ready.status.url, ({ status }) => status === 200);
    assert.match(answer.text, /^web v1 on preview-web-/);
    transcript.quote(`GET ${ready.status.url} (kustomize, over SSH)`, `${answer.status} ${answer.text}`);
  });

  await t.step("Kaniko builds what is fetched over SSH, and its files belong to root", async () => {
    const commitSha = await forge.commit("tool", { ...await dockerfile("kaniko"), ...chart() });
    await at.create(
      project("tool", "", {
        source: forge.ssh("tool"),
        deployment: { type: "helm", path: "chart" },
        build: { image: `${registry}/acme/tool`, builder: "kaniko" },
      }),
      environment("tool-1", "tool", { source: { commitSha } }),
    );
    const ready = await at.untilEnv("tool-1", "Ready", commitSha, BUILD_MS);
    const answer = await cluster.untilAnswers(ready.status.url, ({ status }) => status === 200);
    assert.match(answer.text, /^web kaniko on /);
    transcript.quote(`GET ${ready.status.url} (built by Kaniko, over SSH)`, `${answer.status} ${answer.text}`);
  });

  await t.step("a folder of manifests answers, at the tip of its branch too", async () => {
    await forge.commit("docs", folder("v1"));
    const deployment = { type: "manifest", path: "manifests" };
    await at.create(
      project("docs", "", { source: forge.https("docs"), deployment }),
      environment("docs-1", "docs", { type: "deployment", source: { branch: "main" } }),
    );
    const ready = await at.untilEnv("docs-1", "Ready", undefined, BUILD_MS);
    await cluster.untilAnswers(ready.status.url, ({ text }) => text.startsWith("web v1"));
    const commit = await forge.commit("docs", folder("v2"));
    await at.untilEnv("docs-1", "Ready", commit, BUILD_MS);
    const answer = await cluster.untilAnswers(ready.status.url, ({ text }) => text.startsWith("web v2"));
    transcript.quote(`GET ${ready.status.url} (manifests, the branch moved on)`, `${answer.status} ${answer.text}`);
  });

  await t.step({
    name: "what one environment runs reaches itself and names, and not another environment",
    ignore: !enforcesPolicies,
    fn: async () => {
      const get = (url: string): string => `/get?url=${encodeURIComponent(url)}`;
      const [shop, blog] = [`http://pr-7.${DOMAIN}`, `http://blog-1.${DOMAIN}`];
      const own = "http://preview-web/";
      const other = "http://preview-web.acme-blog-blog-1.svc.cluster.local/";
      const reached = await cluster.untilAnswers(blog + get(own), ({ text }) => text.startsWith("200 web v1"));
      const lookup = "/lookup?name=kubernetes.default.svc.cluster.local";
      await cluster.untilAnswers(shop + lookup, ({ status, text }) => status === 200 && /^\d/.test(text));
      const answer = await cluster.ask(shop + get(other));
      assert.equal(answer.status, 502);
      assert.match(answer.text, /deadline|timeout|refused|unreachable/);
      transcript.quote(`blog-1: GET ${own}`, reached.text);
      transcript.quote(`pr-7: GET ${other}`, `${answer.status} ${answer.text}`);
    },
  });

  await t.step("logins are read nowhere", async () => {
    const logs = await plane.kubectl(["logs", "-n", NAMESPACE, "-l", "app.kubernetes.io/name=maquette", "--tail=-1"]);
    const shown = await plane.kubectl(["get", "env,proj,events,jobs,pods", "-A", "-o", "json"]);
    for (const secret of forge.secrets) assert.ok(!`${logs.stdout}${shown.stdout}`.includes(secret));
  });

  await t.step("deletion, in the middle of a build too, leaves nothing", async () => {
    const commitSha = await forge.commit("shop", await dockerfile("three"));
    await at.patch("env", "pr-7", { spec: { source: { commitSha } } }, TEAM);
    await at.untilEnv("pr-7", "Building", commitSha);
    await plane.kubectl(["delete", "env", "--all", "-n", TEAM, "--timeout=300s"]);
    const left = ["namespaces", "jobs", "pods", "secrets", "networkpolicies", "ingresses", "clusterroles"].join(",");
    const objects = await at.list(left, "-A", "-l", "catalyst.dev/project");
    assert.deepEqual(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`), []);
    const answer = await cluster.untilAnswers(`http://pr-7.${DOMAIN}/`, ({ status }) => status === 404);
    transcript.quote(`GET http://pr-7.${DOMAIN}/ after kubectl delete`, `${answer.status} ${answer.text}`);
    await plane.kubectl(["delete", "proj", "--all", "-n", TEAM, "--timeout=300s"]);
    await plane.kubectl(["delete", "namespace", TEAM]);
  });
});

/** What `kubectl create configmap` makes of a file, as the README says. */
function authorities(pem: string): unknown {
  const metadata = { name: "maquette-authorities", namespace: NAMESPACE };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "ca.crt": pem } };
}
