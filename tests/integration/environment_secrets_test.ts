/**
 * Secrets of Projects: who gets a copy and how long, whom a change of one rolls, where a login is sent, and that nothing
 * of them is said anywhere. With a real git server that wants a login, the real renderer and a real API server.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ANNOTATION_SECRETS, ANNOTATION_SOURCE } from "../../lib/api/names.ts";
import type { KubeObject } from "../../lib/api/object.ts";
import { ScriptedRegistry } from "../../lib/registry/scripted_registry.ts";
import { ensureRenderer } from "../../render/build.ts";
import { auditMark, brief, requestsSince, writes } from "../audit.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { environment, EnvironmentTerminal, planned, project, Repository, TEAM, webObjects } from "./environments.ts";
import { condition, OPERATOR, preview } from "./previews.ts";

/** Every Secret of these tests has it, and nothing else does. */
const WORD = "hunter";
const GIT = { username: "me", password: `${WORD}2-git` };
const LOGIN = basic(GIT);
const PUSH = { username: "pusher", password: `${WORD}2-push` };
/** Where the Environment lives that may use the Project only by its leave. */
const GUESTS = "guests";
const HOME = "acme-shop-dev";
const DIGEST = `sha256:${"0f".repeat(32)}`;

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${btoa(`${username}:${password}`)}`;
}

/** A registry that wants a login and has every image. */
function closedRegistry(): ScriptedRegistry {
  return new ScriptedRegistry(({ method, headers }) => {
    if (headers.get("authorization") !== basic(PUSH)) {
      return new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="here"' } });
    }
    const type = "application/vnd.oci.image.manifest.v1+json";
    const body = method === "HEAD" ? null : "{}";
    return new Response(body, { headers: { "content-type": type, "docker-content-digest": DIGEST } });
  });
}

function secret(name: string, stringData: Record<string, string>, type = "Opaque", namespace = TEAM): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, type, stringData };
}

function pullLogin(host: string, login: typeof PUSH): Record<string, string> {
  return { ".dockerconfigjson": JSON.stringify({ auths: { [host]: login } }) };
}

/** A web server without Secrets, a worker that reads one, and a Job of the night that does. */
function shop(): KubeObject[] {
  const envFrom = [{ secretRef: { name: "database" } }];
  const [worker] = webObjects("worker", "one");
  worker!.spec.template.spec.containers[0].envFrom = envFrom;
  const pod = { restartPolicy: "Never", containers: [{ name: "app", image: "ghcr.io/acme/nightly:v1", envFrom }] };
  const nightly = {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "nightly" },
    spec: { schedule: "0 3 1 1 *", jobTemplate: { spec: { template: { spec: pod } } } },
  };
  return [...webObjects("web", "one"), worker!, nightly];
}

/** Secrets in a repository: one is not base64, the other one is not what its type says, which the API server tells. */
const BROKEN = {
  broken: { data: { password: `${WORD}-%-broken` } },
  refused: { type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": btoa(`${WORD}, but no JSON`) } },
};
const TOLD = { broken: "Secret/broken is refused", refused: "acme-refused-refused/refused" };

function brokenFiles(): Record<string, KubeObject> {
  return Object.fromEntries(
    Object.entries(BROKEN).map(([name, content]) => {
      return [`${name}/secret.yaml`, { apiVersion: "v1", kind: "Secret", metadata: { name }, ...content }];
    }),
  );
}

/** A text in base64, wherever in what is encoded it begins. */
function encoded(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const all = Buffer.from("-".repeat(before) + text).toString("base64");
    return all.slice(Math.ceil(before * 8 / 6), Math.floor((before + text.length) * 8 / 6));
  });
}

Deno.test("Secrets of Projects", async (t) => {
  await ensureRenderer();
  await using registry = closedRegistry();
  await using plane = await startControlPlane({ nodes: 1 });
  const flags = ["--domain=preview.test", "--tls=none", "--git-allow-loopback=true", "--log-level=debug"];
  await using installed = await install(plane, { flags: [...flags, `--insecure-registries=${registry.host}`] });
  await using repository = await Repository.open(LOGIN);
  const at = new EnvironmentTerminal(plane);
  for (const namespace of [TEAM, GUESTS]) await plane.kubectl(["create", "namespace", namespace]);
  const host = new URL(repository.url).host;
  const files = { "manifests/shop.yaml": shop(), ...brokenFiles() };
  const commit = await repository.commit(files);
  const source = { commitSha: commit };
  const from = { repositoryUrl: repository.url, branch: "main", secretRef: { name: "git" } };

  const copy = (name = "database", namespace = HOME): Promise<KubeObject | undefined> =>
    at.get("secret", name, namespace);
  const workload = (name: string, namespace = HOME): Promise<KubeObject | undefined> =>
    at.get("deployment", name, namespace);
  const digest = async (name = "worker"): Promise<string | undefined> =>
    (await workload(name))?.spec.template.metadata.annotations?.[ANNOTATION_SECRETS];
  const untilCopied = (value: string, namespace = HOME): Promise<unknown> =>
    waitFor(`the copy in ${namespace}`, async () => (await copy("database", namespace))?.data.password === btoa(value));
  /** What has been asked of Pods so far: how often each workload of the environment was changed. */
  async function generations(): Promise<Record<string, number>> {
    const all = [...await at.list("deployments", "-n", HOME), ...await at.list("cronjobs", "-n", HOME)];
    return Object.fromEntries(all.map(({ metadata }) => [metadata.name, metadata.generation!]));
  }

  await t.step("a wrong login is told without what it is", async () => {
    await at.create(secret("git", { ...GIT, password: `${WORD}1-git` }, "kubernetes.io/basic-auth"));
    await at.create(secret("database", { password: `${WORD}1-database` }));
    await at.create(project("shop", repository.url, { source: from, secrets: ["database"], maxEnvironments: 9 }));
    await at.create(environment("dev", "shop", { source }));
    await at.untilReason("dev", "AuthenticationFailed", 60_000, "SourceReady");
  });

  await t.step("a login that is pinned to other hosts is not sent, and a condition says so", async () => {
    await at.patch("secret", "git", {
      metadata: { annotations: { "maquette.dev/git-host": "github.com, git.example.com" } },
      stringData: { password: GIT.password },
    }, TEAM);
    const found = await at.untilReason("dev", "LoginRefused", 60_000, "SourceReady");
    assert.match(
      condition(found, "SourceReady")!.message,
      /"acme\/git".*"github\.com", "git\.example\.com".*127\.0\.0/,
    );
    // Those that were asked before had another password.
    assert.ok(!repository.logins.includes(LOGIN));
  });

  await t.step("with its host among them it is sent, to fetch and to nobody else", async () => {
    await at.patch(
      "secret",
      "git",
      { metadata: { annotations: { "maquette.dev/git-host": `github.com,${host}` } } },
      TEAM,
    );
    await at.untilEnv("dev", "Ready", commit);
    assert.ok(repository.logins.includes(LOGIN));
  });

  await t.step("a login that is pinned is not copied for Pods", async () => {
    await at.patch("proj", "shop", { spec: { secrets: ["database", "git"] } }, TEAM);
    const found = await at.untilReason("dev", "SourceRefused");
    assert.match(condition(found, "Ready")!.message, /"acme\/git" is for git at .* not copied for Pods/);
    assert.equal(await copy("git"), undefined);
    await at.patch("proj", "shop", { spec: { secrets: ["database"] } }, TEAM);
    await at.untilEnv("dev", "Ready", commit);
  });

  await t.step("another content rolls what uses it, and nothing else; nothing is fetched for it", async () => {
    await untilCopied(`${WORD}1-database`);
    const before = { digest: await digest(), generations: await generations(), requests: repository.requests };
    await at.patch("secret", "database", { stringData: { password: `${WORD}2-database` } }, TEAM);
    await untilCopied(`${WORD}2-database`);
    await waitFor("the digest to change", async () => await digest() !== before.digest);
    await at.untilEnv("dev", "Ready", commit);
    assert.deepEqual(await generations(), { ...before.generations, worker: before.generations.worker! + 1 });
    assert.equal(repository.requests, before.requests);
  });

  await t.step("a label on it rolls nothing, and neither does a copy that was deleted by hand", async () => {
    const before = await generations();
    const version = async (): Promise<string> => (await copy())?.metadata.annotations?.[ANNOTATION_SOURCE] ?? "";
    const first = await version();
    await at.patch("secret", "database", { metadata: { labels: { team: "a" } } }, TEAM);
    await waitFor("the copy to follow", async () => ![first, ""].includes(await version()));
    await at.remove("secret", "database", HOME);
    await untilCopied(`${WORD}2-database`);
    await at.untilEnv("dev", "Ready", commit);
    assert.deepEqual(await generations(), before);
  });

  await t.step("a Secret that is made anew with another type is copied anew", async () => {
    await at.remove("secret", "database", TEAM);
    const login = { username: "me", password: `${WORD}3-database` };
    await at.create(secret("database", login, "kubernetes.io/basic-auth"));
    await untilCopied(`${WORD}3-database`);
    assert.equal((await copy())!.type, "kubernetes.io/basic-auth");
    await at.untilEnv("dev", "Ready", commit);
  });

  await t.step("for a PreviewEnvironment, too", async () => {
    await at.create(secret("settings", { A: `${WORD}1-preview` }, "Opaque", "default"));
    await at.create(preview(7, { env_from: [{ secretRef: { name: "settings" } }] }));
    await at.untilPhase("pr-7", "Ready");
    await at.remove("secret", "settings");
    await at.create(secret("settings", { A: `${WORD}2-preview` }, "example.com/settings", "default"));
    await waitFor(
      "the new type",
      async () => (await copy("settings", "preview-pr-7"))?.type === "example.com/settings",
    );
    await at.untilPhase("pr-7", "Ready");
  });

  await t.step("a Secret of that name that somebody else made is not touched, whatever its type is", async () => {
    await at.create(secret("settings", { A: "theirs" }, "example.com/theirs", HOME));
    await at.create(secret("settings", { A: `${WORD}1-shop` }));
    await at.patch("proj", "shop", { spec: { secrets: ["database", "settings"] } }, TEAM);
    await at.untilReason("dev", "NotOwned");
    assert.equal((await copy("settings"))!.data.A, btoa("theirs"));
    await at.patch("proj", "shop", { spec: { secrets: ["database"] } }, TEAM);
    await at.untilEnv("dev", "Ready", commit);
    assert.equal((await copy("settings"))!.data.A, btoa("theirs"));
  });

  await t.step("what is named no more goes, also while something else is missing or changes are stopped", async () => {
    await at.create(secret("extra", { a: `${WORD}-extra` }), secret("more", { a: `${WORD}-more` }));
    await at.patch("proj", "shop", { spec: { secrets: ["database", "extra", "more"] } }, TEAM);
    await waitFor("both copies", async () => await copy("extra") && await copy("more"));
    await at.patch("proj", "shop", { spec: { secrets: ["database", "absent", "more"] } }, TEAM);
    await at.untilGone("secret", "extra", HOME);
    await at.untilReason("dev", "SecretMissing");
    await at.patch("env", "dev", { metadata: { annotations: { "maquette.dev/paused": "true" } } }, TEAM);
    await at.patch("proj", "shop", { spec: { secrets: ["database"] } }, TEAM);
    await at.untilGone("secret", "more", HOME);
    assert.ok(await copy("database"));
    await at.patch("env", "dev", { metadata: { annotations: { "maquette.dev/paused": null } } }, TEAM);
    const { status } = await at.untilEnv("dev", "Ready", commit);
    assert.doesNotMatch(JSON.stringify(status.inventory), /extra|more/);
  });

  await t.step("a Project that withdraws its leave takes its Secrets back; what runs serves on", async () => {
    await at.patch("proj", "shop", { spec: { allowedNamespaces: [GUESTS] } }, TEAM);
    const guest = environment("guest", "shop", { source, projectRef: { name: "shop", namespace: TEAM } });
    await at.create({ ...guest, metadata: { name: "guest", namespace: GUESTS } });
    await waitUntil(
      "the guest to be Ready",
      () => at.get("env", "guest", GUESTS),
      (it) => it?.status?.phase === "Ready",
    );
    await untilCopied(`${WORD}3-database`, "acme-shop-guest");
    await at.patch("proj", "shop", { spec: { allowedNamespaces: [] } }, TEAM);
    await at.untilGone("secret", "database", "acme-shop-guest");
    const found = await waitUntil(
      "the guest to say so",
      () => at.get("env", "guest", GUESTS),
      (it) =>
        condition(it, "Stalled")?.reason === "ProjectForbidden" &&
        !/database/.test(JSON.stringify(it!.status.inventory)),
    );
    assert.match(condition(found, "Ready")!.message, /serves on, without the Project's Secrets/);
    assert.ok(await workload("web", "acme-shop-guest") && await workload("worker", "acme-shop-guest"));
    assert.ok(await at.get("ingress", "maquette", "acme-shop-guest"));
    assert.ok(await copy("database"), "others keep theirs");
    await at.patch("proj", "shop", { spec: { allowedNamespaces: [GUESTS] } }, TEAM);
    await untilCopied(`${WORD}3-database`, "acme-shop-guest");
  });

  await t.step("a login for the registry is told neither where it is wrong nor where it is right", async () => {
    const type = "kubernetes.io/dockerconfigjson";
    await at.create(secret("push", pullLogin(registry.host, { ...PUSH, password: `${WORD}1-push` }), type));
    const build = { image: `${registry.host}/acme/web`, pushSecretRef: { name: "push" } };
    await at.create(project("built", repository.url, { source: from, build }));
    await at.create(environment("image", "built", { source }));
    await at.untilReason("image", "RegistryDenied", 60_000, "BuildReady");
    await at.patch("secret", "push", { stringData: pullLogin(registry.host, PUSH) }, TEAM);
    await at.untilEnv("image", "Ready", commit);
    assert.ok(await copy("push", "acme-built-image"));
  });

  for (const [name, told] of Object.entries(TOLD)) {
    await t.step(`what is wrong with a Secret of the source is told without what is in it: ${name}`, async () => {
      const deployment = { type: "manifest", path: name };
      await at.create(project(name, repository.url, { source: from, deployment }));
      await at.create(environment(name, name, { source }));
      await waitUntil(
        "the refusal to be told",
        async () => condition(await at.env(name), "Ready")?.message ?? "",
        (message) => message.includes(told),
      );
      // It is tried again and again, which is no news.
      await plane.kubectl(["delete", "env", name, "-n", TEAM, "--timeout=180s"]);
    });
  }

  await t.step("a plan has the Secrets of the source without what is in them", async () => {
    const file = [project("refused", repository.url, { deployment: { type: "manifest", path: "refused" } })];
    const text = [...file, environment("refused", "refused", { source })].map((each) => JSON.stringify(each));
    const objects = await planned(["plan", "-f", "-", "--source", repository.folder, ...flags], text.join("\n---\n"));
    assert.ok(objects.some(({ kind, metadata }) => kind === "Secret" && metadata.name === "refused"));
    assert.ok(!JSON.stringify(objects).includes(WORD));
  });

  await t.step("a restart writes nothing", async () => {
    await installed.stop();
    const mark = await auditMark(plane.auditLogPath!);
    await installed.start();
    const looks = 3 * (await at.list("env", "-A")).length;
    await waitFor(
      "all environments to be looked at",
      async () => await installed.metric("maquette_reconcile_duration_seconds_count", { kind: "Environment" }) >= looks,
    );
    await waitFor("the operator to be idle", async () => await installed.metric("maquette_queue_depth") === 0);
    assert.deepEqual(writes(await requestsSince(plane.auditLogPath!, mark, OPERATOR)).map(brief), []);
  });

  await t.step("nothing of all this is said anywhere", async () => {
    const kinds = "projects,environments,previewenvironments,events.v1.,events.events.k8s.io,deployments,replicasets," +
      "pods,jobs,cronjobs,configmaps,ingresses,namespaces,resourcequotas,serviceaccounts";
    const { stdout } = await plane.kubectl(["get", kinds, "-A", "-o", "json", "--show-managed-fields"]);
    const said = { "the cluster": stdout, "the log": await installed.log(), "the metrics": await installed.metrics() };
    for (const [place, text] of Object.entries(said)) {
      assert.ok(text.length > 1000, `${place} was read`);
      for (const secret of [WORD, ...encoded(WORD)]) assert.ok(!text.includes(secret), `"${secret}" is in ${place}`);
    }
    const secrets = JSON.stringify(await at.list("secrets", "-A"));
    assert.ok(encoded(WORD).some((text) => secrets.includes(text)), "where it is, it is found");
    const copies = (await at.list("secrets", "-A")).filter(({ metadata }) =>
      /^(acme|preview)-/.test(metadata.namespace!)
    );
    const marks = JSON.stringify(copies.map(({ metadata }) => metadata));
    assert.ok(!encoded(WORD).some((text) => marks.includes(text)), "what is said of copies is not what is in them");
  });
});
