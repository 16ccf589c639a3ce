import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import type { World } from "./command.ts";
import { program } from "./program.ts";

interface Ran {
  code: number;
  out: string;
  err: string;
}

async function run(args: string[], files: Record<string, string> = {}, env: Record<string, string> = {}): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  const world: World = {
    env,
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    readFile: (path) => path in files ? Promise.resolve(files[path]!) : Promise.reject(new Error("No such file")),
    readStdin: () => Promise.resolve(files["-"] ?? ""),
  };
  const code = await program(args, world);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

const GOOD = `apiVersion: devops.orima.com/v1
kind: PreviewEnvironment
metadata: {name: pr-7, namespace: team}
spec: {pr_number: 7, branch_name: feature/x, image: ghcr.io/acme/shop, image_tag: v1}
`;
const BAD = GOOD.replace("pr_number: 7", "pr_number: 0").replace("image_tag: v1", "image_tag: latest");

function objects(yaml: string): { kind: string; metadata: { name: string; namespace?: string } }[] {
  return parseAllDocuments(yaml).map((document) => document.toJS());
}

Deno.test("without a command it lists the commands and says wrong use", async () => {
  const { code, err } = await run([]);
  assert.equal(code, 2);
  for (const name of ["run", "plan", "check", "manifests", "crds", "version"]) {
    assert.match(err, new RegExp(`^  ${name} `, "m"));
  }
});

Deno.test("an unknown command and an unknown flag are refused by name", async () => {
  assert.match((await run(["serve"])).err, /Unknown command "serve"/);
  const { code, err } = await run(["check", "--fiel", "x"]);
  assert.equal(code, 2);
  assert.match(err, /--fiel/);
});

Deno.test("every command has a help text that names its flags", async () => {
  for (const name of ["run", "plan", "check", "manifests", "crds", "version"]) {
    const { code, out } = await run([name, "--help"]);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^maquette ${name}: `));
  }
  assert.match((await run(["help", "run"])).out, /--default-ttl-seconds .*\(default 86400\)/);
});

Deno.test("check passes what admission would pass, with its warnings", async () => {
  const { code, out } = await run(["check", "-f", "-"], { "-": GOOD });
  assert.equal(code, 0, out);
  assert.match(out, /PreviewEnvironment "pr-7": would be admitted/);
});

Deno.test("check tells every problem with its field and exits 1", async () => {
  const { code, out } = await run(["check", "-f", "x.yaml"], { "x.yaml": BAD });
  assert.equal(code, 1);
  assert.match(out, /spec\.pr_number: /);
  assert.match(out, /spec\.image(_tag)?: .*latest/);
});

Deno.test("check prints JSON for programs", async () => {
  const { out } = await run(["check", "-f", "-", "-o", "json"], { "-": BAD });
  const [line] = JSON.parse(out);
  assert.equal(line.allowed, false);
  assert.ok(line.problems.some(({ field }: { field: string }) => field === "spec.pr_number"));
});

Deno.test("check refuses the second object of a file that is for the same namespace, naming the first", async () => {
  const { code, out } = await run(["check", "-f", "-"], {
    "-": `${GOOD}---\n${GOOD.replace("name: pr-7", "name: other")}`,
  });
  assert.equal(code, 1);
  assert.match(out, /team\/pr-7/);
});

Deno.test("check says what it cannot read, with the line", async () => {
  const broken = await run(["check", "-f", "x.yaml"], { "x.yaml": "a: 1\nb: [" });
  assert.equal(broken.code, 2);
  assert.match(broken.err, /"x\.yaml": line 2/);
  assert.match((await run(["check", "-f", "none.yaml"])).err, /Cannot read "none\.yaml"/);
  assert.match((await run(["check"])).err, /-f FILE is required/);
});

Deno.test("check refuses a bomb of aliases", async () => {
  const bomb = [
    "a: &a [x,x,x,x,x,x,x,x,x]",
    ...["b", "c", "d", "e", "f", "g"].map((name, index) =>
      `${name}: &${name} [${Array(9).fill(`*${"abcdef"[index]}`).join(",")}]`
    ),
  ].join("\n");
  const { code, err } = await run(["check", "-f", "-"], { "-": bomb });
  assert.equal(code, 2);
  assert.match(err, /alias/i);
});

Deno.test("plan prints the children of a preview, the namespace first", async () => {
  const { code, out } = await run(["plan", "-f", "-", "--domain", "preview.example.com"], { "-": GOOD });
  assert.equal(code, 0);
  const kinds = objects(out).map(({ kind }) => kind);
  assert.equal(kinds[0], "Namespace");
  for (const kind of ["Deployment", "Service", "Ingress", "NetworkPolicy", "ResourceQuota", "LimitRange"]) {
    assert.ok(kinds.includes(kind), kind);
  }
  assert.match(out, /host: pr-7\.preview\.example\.com/);
});

const PROJECT = `apiVersion: catalyst.catalyst.dev/v1alpha1
kind: Project
metadata: {name: shop, namespace: acme}
spec:
  source: {repositoryUrl: https://github.com/acme/shop}
  deployment: {type: helm, path: chart}
  secrets: [database]
`;
const ENVIRONMENT = `apiVersion: catalyst.catalyst.dev/v1alpha1
kind: Environment
metadata: {name: dev, namespace: acme}
spec: {projectRef: {name: shop}, type: development, source: {branch: main}}
`;

Deno.test("plan prints the namespace of an Environment whose Project is in the file, wherever it stands", async () => {
  const { code, out, err } = await run(["plan", "-f", "-"], { "-": `${ENVIRONMENT}---\n${PROJECT}` });
  assert.equal(code, 0, err);
  const found = objects(out);
  assert.equal(found[0]!.metadata.name, "acme-shop-dev");
  assert.ok(found.some(({ kind, metadata }) => kind === "Secret" && metadata.name === "database"));
});

Deno.test("plan says that the Project of an Environment is missing", async () => {
  const { code, err } = await run(["plan", "-f", "-"], { "-": ENVIRONMENT });
  assert.equal(code, 1);
  assert.match(err, /its Project is not in the file/);
});

Deno.test("check knows the cap of a Project in the file", async () => {
  const capped = PROJECT.replace("secrets: [database]", "maxEnvironments: 1");
  const second = ENVIRONMENT.replace("name: dev", "name: other");
  const { code, out } = await run(["check", "-f", "-"], { "-": [capped, ENVIRONMENT, second].join("---\n") });
  assert.equal(code, 1);
  assert.match(out, /"other": would be refused/);
  assert.match(out, /1 of at most 1 Environments/);
});

Deno.test("check and plan know the namespaces that the file's own environments are for", async () => {
  const inside = ENVIRONMENT.replace("name: dev, namespace: acme", "name: inside, namespace: acme-shop-dev");
  const file = [PROJECT, ENVIRONMENT, inside].join("---\n");
  const checked = await run(["check", "-f", "-"], { "-": file });
  assert.equal(checked.code, 1);
  assert.match(checked.out, /"inside": would be refused\n {2}metadata\.namespace: "acme-shop-dev" was made for an env/);
  const planned = await run(["plan", "-f", "-"], { "-": file });
  assert.equal(planned.code, 1);
  assert.match(planned.err, /^Environment "inside" would be refused:\n {2}metadata\.namespace: "acme-shop-dev"/);
  assert.equal((await run(["check", "-f", "-"], { "-": [PROJECT, inside].join("---\n") })).code, 0);
});

Deno.test("plan says what would stall, instead of showing nothing", async () => {
  const file = `${PROJECT.replace("[database]", "[dev.preview.localhost-tls]")}---\n${ENVIRONMENT}`;
  const { code, err } = await run(["plan", "-f", "-", "--domain=preview.localhost"], { "-": file });
  assert.equal(code, 1);
  assert.match(err, /^Environment "acme\/dev": Secret "dev\.preview\.localhost-tls" has the name of the/);
});

Deno.test("plan knows the namespaces that the options reserve", async () => {
  const args = ["plan", "-f", "-", "--reserved-namespaces=acme-shop-*"];
  const { code, out, err } = await run(args, { "-": `${PROJECT}---\n${ENVIRONMENT}` });
  assert.deepEqual([code, objects(out).filter(({ kind }) => kind === "Namespace")], [1, []]);
  assert.match(err, /metadata\.name: Namespace "acme-shop-dev" is reserved/);
});

Deno.test("plan shows copies of Secrets without content", async () => {
  const file = GOOD.replace("image_tag: v1", "image_tag: v1, image_pull_secrets: [{name: pull}]");
  const { out } = await run(["plan", "-f", "-"], { "-": file });
  const secret = objects(out).find(({ kind }) => kind === "Secret");
  assert.equal(secret?.metadata.name, "pull");
  assert.ok(!("data" in secret!));
});

Deno.test("plan refuses what admission would refuse", async () => {
  const { code, out, err } = await run(["plan", "-f", "-"], { "-": BAD });
  assert.equal(code, 1);
  assert.equal(out, "");
  assert.match(err, /would be refused:\n.*latest/s);
});

Deno.test("manifests prints CRDs, roles, the Deployment and webhooks, and no wildcard", async () => {
  const { code, out } = await run(["manifests", "--domain", "preview.example.com"]);
  assert.equal(code, 0);
  const kinds = objects(out).map(({ kind }) => kind);
  for (
    const kind of [
      "Namespace",
      "CustomResourceDefinition",
      "ClusterRole",
      "Role",
      "Deployment",
      "MutatingWebhookConfiguration",
      "ValidatingWebhookConfiguration",
    ]
  ) {
    assert.ok(kinds.includes(kind), kind);
  }
  assert.doesNotMatch(out, /^ +- "?\*"?$/m);
  assert.match(out, /- --domain=preview\.example\.com/);
});

Deno.test("manifests refuses a part, an image and a number that are none", async () => {
  assert.match((await run(["manifests", "--only", "crd"])).err, /no part "crd", there are namespace, crds/);
  assert.match((await run(["manifests", "--image", "A B"])).err, /--image: /);
  assert.match((await run(["manifests", "--replicas", "0"])).err, /--replicas: "0"/);
});

Deno.test("crds prints one definition per kind", async () => {
  const { out } = await run(["crds"]);
  assert.deepEqual(objects(out).map(({ metadata }) => metadata.name), [
    "previewenvironments.devops.orima.com",
    "printers.cadumillani.com.br",
    "projects.catalyst.catalyst.dev",
    "environments.catalyst.catalyst.dev",
    "portfolioapps.portfolio.example.com",
    "databasemigrations.portfolio.example.com",
  ]);
});

Deno.test("version prints text and JSON", async () => {
  assert.match((await run(["version"])).out, /^maquette \d+\.\d+\.\d+ \(Deno /);
  assert.match(JSON.parse((await run(["version", "-o", "json"])).out).version, /^\d+\.\d+\.\d+$/);
});

Deno.test("run exits 3 where there is no cluster, and says why", async () => {
  const { code, err } = await run(["run", "--kubeconfig=/nowhere/config"]);
  assert.equal(code, 3);
  assert.match(err, /Cannot find a cluster: /);
});

Deno.test("run refuses authorities that no build could be given, before it looks for a cluster", async () => {
  const files = { "ca.pem": "x".repeat(64 * 1024 + 1) };
  const { code, err } = await run(["run", "--registry-ca-file=ca.pem", "--kubeconfig=/nowhere/config"], files);
  assert.equal(code, 2);
  assert.match(err, /^--registry-ca-file: Authorities for builds are over 65536 bytes/);
});

Deno.test("run does not start without its renderer, and says what to do", async () => {
  const path = await Deno.makeTempFile({ prefix: "maquette-kubeconfig-" });
  const cluster = { server: "https://127.0.0.1:1" };
  const config = {
    "current-context": "x",
    contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
    clusters: [{ name: "x", cluster }],
    users: [{ name: "x", user: { token: "x" } }],
  };
  await Deno.writeTextFile(path, JSON.stringify(config));
  const { code, err } = await run(["run", `--kubeconfig=${path}`, "--renderer=/nowhere/renderer"]);
  await Deno.remove(path);
  assert.equal(code, 2);
  assert.match(err, /^--renderer: Renderer "\/nowhere\/renderer" cannot be started: .*; maquette-render of this very/);
});

const UNQUOTED: Record<string, [given: string, field: RegExp]> = {
  "a word that is a boolean to kubectl": [GOOD.replace("feature/x", "on"), /spec\.branch_name: /],
  "a version that is not served": [GOOD.replace("orima.com/v1", "orima.com/v2"), /apiVersion: Must be "devops/],
  "a name with capitals": [GOOD.replace("name: pr-7", "name: A_b"), /metadata\.name: Must be/],
  "a namespace with a space": [GOOD.replace("namespace: team", "namespace: Bad NS"), /metadata\.namespace: Must be/],
  "an object without a name": [GOOD.replace("name: pr-7, ", ""), /metadata\.name: Is required/],
  "an object without metadata": [GOOD.replace(/metadata: .*\n/, ""), /metadata\.name: Is required/],
  "metadata that is a text": [GOOD.replace(/metadata: .*\n/, "metadata: hello\n"), /metadata\.name: Is required/],
};

for (const [sentence, [given, field]] of Object.entries(UNQUOTED)) {
  Deno.test(`check and plan refuse ${sentence}`, async () => {
    const checked = await run(["check", "-f", "-"], { "-": given });
    assert.equal(checked.code, 1);
    assert.match(checked.out, field);
    const planned = await run(["plan", "-f", "-"], { "-": given });
    assert.equal(planned.code, 1);
    assert.match(planned.err, field);
  });
}

Deno.test("numbers are read as kubectl reads them: 010 is eight", async () => {
  const { out } = await run(["plan", "-f", "-"], { "-": GOOD.replace("pr_number: 7", "pr_number: 010") });
  assert.match(out, /name: preview-pr-8\n/);
});

Deno.test("a point alone is a text to kubectl", async () => {
  const file = GOOD.replace("image_tag: v1", "image_tag: v1, env: [{name: A, value: .}]");
  assert.equal((await run(["check", "-f", "-"], { "-": file })).code, 0);
  const number = GOOD.replace("image_tag: v1", "image_tag: v1, env: [{name: A, value: .5}]");
  assert.equal((await run(["check", "-f", "-"], { "-": number })).code, 1);
});

Deno.test("texts that are something else to kubectl are printed in quotes, times and 1:30 are texts", async () => {
  for (const word of ["yes", "on", "NO", "0x1f", "010", "1e3", "null", "~"]) {
    const file = GOOD.replace("image_tag: v1", `image_tag: v1, env: [{name: A, value: "${word}"}]`);
    assert.match((await run(["plan", "-f", "-"], { "-": file })).out, new RegExp(`value: "${word}"`), word);
  }
  const file = GOOD.replace("feature/x", "2001-12-14").replace("image_tag: v1", "image_tag: 1:30");
  assert.match((await run(["check", "-f", "-"], { "-": file })).out, /spec\.image_tag/);
  assert.doesNotMatch((await run(["check", "-f", "-"], { "-": file })).out, /spec\.branch_name/);
});

Deno.test("an object with generateName is judged and planned", async () => {
  const { code, out } = await run(["plan", "-f", "-"], { "-": GOOD.replace("name: pr-7", "generateName: pr-") });
  assert.equal(code, 0);
  assert.match(out, /PreviewEnvironment\.devops\.orima\.com\/team\/pr-xxxxx/);
});
