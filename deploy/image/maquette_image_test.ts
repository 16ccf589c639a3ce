/**
 * There are two ways to the image, and one Deployment that runs it. Base images cannot be pulled everywhere, so that
 * what holds the Dockerfile to deploy/image is its text.
 */
import assert from "node:assert/strict";
import { DEFAULT_IMAGE } from "../../cli/install/objects.ts";
import { workloadObjects } from "../../cli/install/workload.ts";
import { normalized, parseReference } from "../../lib/image/reference.ts";
import { readCommandLine } from "../../lib/config.ts";
import { VERSION } from "../../lib/version.ts";
import { arrange } from "./layer.ts";
import {
  baseEntries,
  BINARY,
  BINARY_MODE,
  binaryEntries,
  CONFIG,
  IMAGE_NAME,
  MEMORY_ENV,
  RENDERER,
} from "./maquette_image.ts";

const ROOT = new URL("../..", import.meta.url);

interface Container {
  command?: string[];
  args: string[];
  securityContext: Record<string, unknown>;
}

/** Instructions of the Dockerfile's last stage. */
async function lastStage(): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("Dockerfile", ROOT));
  const lines = text.replaceAll(/\\\n\s*/g, "").split("\n").filter((line) => line && !line.startsWith("#"));
  return lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));
}

async function instruction(name: string): Promise<string> {
  const found = await instructions(name);
  assert.equal(found.length, 1, name);
  return found[0]!;
}

async function instructions(name: string): Promise<string[]> {
  return (await lastStage()).filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
}

async function denoConfig(): Promise<{ tasks: Record<string, { command: string }>; imports: Record<string, string> }> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
}

function podSpec(): { securityContext: Record<string, unknown>; container: Container } {
  const { config } = readCommandLine([], {});
  const deployment = workloadObjects({ config, image: DEFAULT_IMAGE, replicas: 1 })
    .find(({ kind }) => kind === "Deployment") as unknown as {
      spec: { template: { spec: { securityContext: Record<string, unknown>; containers: [Container] } } };
    };
  const { securityContext, containers: [container] } = deployment.spec.template.spec;
  return { securityContext, container };
}

Deno.test("the Dockerfile's image runs as the archive's does", async () => {
  assert.equal(await instruction("USER"), CONFIG.user);
  assert.equal(await instruction("WORKDIR"), CONFIG.workingDir);
  assert.deepEqual(JSON.parse(await instruction("ENTRYPOINT")), CONFIG.entrypoint);
  assert.equal(await instruction("ENV"), MEMORY_ENV);
  assert.deepEqual(JSON.parse(await instruction("CMD")), CONFIG.command);
});

Deno.test("the Dockerfile's image has the archive's labels", async () => {
  const labels = [...(await instruction("LABEL")).matchAll(/(\S+)="([^"]*)"/g)].map(([, name, value]) => [name, value]);
  assert.deepEqual(Object.fromEntries(labels), CONFIG.labels);
});

Deno.test("the Dockerfile puts the programs where the archive has them, owned by root, and nothing else", async () => {
  const mode = BINARY_MODE.toString(8).padStart(4, "0");
  assert.deepEqual(await instructions("COPY"), [
    `--from=build --chown=0:0 --chmod=${mode} /src/dist/maquette ${BINARY}`,
    `--from=render --chown=0:0 --chmod=${mode} /maquette-render ${RENDERER}`,
  ]);
  assert.ok(!(await lastStage()).some((line) => /^(RUN|ADD) /.test(line)));
});

Deno.test("the Dockerfile starts from a base without a shell, and compiles by the task that deno.json has", async () => {
  const text = await Deno.readTextFile(new URL("Dockerfile", ROOT));
  assert.equal(await instruction("FROM"), "gcr.io/distroless/cc-debian12:nonroot");
  assert.match(text, /^FROM denoland\/deno:2\.9\.\d+ AS build$/m);
  assert.match(text, /^RUN deno task compile$/m);
  assert.match((await denoConfig()).tasks.compile!.command, / --output dist\/maquette /);
});

Deno.test("the Dockerfile's build sees what main.ts imports", async () => {
  const lines = (await Deno.readTextFile(new URL(".dockerignore", ROOT))).split("\n");
  const seen = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  assert.deepEqual(seen.sort(), [
    ...["cli", "crds", "deno.json", "deno.lock", "lib", "main.ts", "render", "webhook"],
  ]);
});

Deno.test("the binary may reach the network, read files and its environment, run the renderer, and nothing else", async () => {
  const { command } = (await denoConfig()).tasks.compile!;
  const permissions = command.split(" ").filter((flag) => /^--(allow|deny|no-prompt|unstable)|^-A/.test(flag));
  assert.deepEqual(permissions, [
    ...["--allow-net", "--allow-read", "--allow-env", "--allow-run=maquette-render", "--no-prompt"],
  ]);
});

Deno.test("the Deployment runs the image: its entrypoint, a command that it has, and a user that is not root", () => {
  const { securityContext, container } = podSpec();
  assert.equal(container.command, undefined);
  assert.equal(container.args[0], CONFIG.command?.[0]);
  assert.equal(securityContext.runAsNonRoot, true);
  // A kubelet that is told runAsNonRoot refuses a user by name.
  assert.match(CONFIG.user, /^[1-9][0-9]*:[1-9][0-9]*$/);
  assert.equal(container.securityContext.readOnlyRootFilesystem, true);
});

Deno.test("the Deployment's image is the archive's, in short", () => {
  const parsed = parseReference(DEFAULT_IMAGE);
  assert.ok(parsed.ok);
  const { registry, repository } = normalized(parsed.reference);
  assert.equal(`${registry}/${repository}:${parsed.reference.tag}`, IMAGE_NAME);
  assert.equal(parsed.reference.tag, VERSION);
});

Deno.test("the image's users have no shell, and everybody may write to /tmp only", () => {
  const crt = {
    type: "file",
    path: "usr/share/ca-certificates/a.crt",
    mode: 0o644,
    data: new Uint8Array([65]),
  } as const;
  const certificates = { name: "ca-certificates", version: "1", control: "", md5sums: "", entries: [crt] };
  const entries = arrange([...baseEntries([certificates], []), ...binaryEntries(new Uint8Array(), new Uint8Array())]);
  const passwd = entries.find(({ path }) => path === "etc/passwd");
  assert.ok(passwd?.type === "file");
  const lines = new TextDecoder().decode(passwd.data).trim().split("\n");
  assert.ok(lines.every((line) => line.endsWith(":/sbin/nologin")));
  assert.ok(lines.some((line) => line.startsWith(`nonroot:x:${CONFIG.user}:`)));
  const writable = entries.filter((entry) => entry.type !== "link" && (entry.mode & 0o022) !== 0);
  assert.deepEqual(writable.map(({ path }) => path), ["tmp"]);
  for (const program of [BINARY, RENDERER]) {
    const binary = entries.find(({ path }) => `/${path}` === program);
    assert.ok(binary?.type === "file" && binary.mode === 0o555);
  }
});
