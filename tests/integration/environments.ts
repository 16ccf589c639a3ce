/**
 * What integration tests say about Projects and Environments: a git server with one repository, and somebody at a
 * terminal.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import type { KubeObject } from "../../lib/api/object.ts";
import { waitUntil } from "../wait.ts";
import { type ControlPlane } from "../control_plane/control_plane.ts";
import { programCommand } from "../installed.ts";
import { committed, git, GitServer } from "../registry/git_server.ts";
import { Terminal } from "./previews.ts";

/** Where Projects and Environments of these tests live. */
export const TEAM = "acme";

/** Files of a repository by their paths. */
export type Files = Readonly<Record<string, unknown>>;

/** A repository that is served over HTTP. */
export class Repository implements AsyncDisposable {
  readonly #folder: string;
  readonly #server: GitServer;

  private constructor(folder: string, login: string | undefined) {
    this.#folder = folder;
    this.#server = new GitServer({ folder, ...(login ? { login } : {}) });
  }

  /** @param login Value of the header `Authorization` that opens it; left out: it is open. */
  static async open(login?: string): Promise<Repository> {
    const folder = await Deno.makeTempDir({ prefix: "maquette-git-" });
    await git(folder, "init", "-q", "--bare", join(folder, "shop.git"));
    await git(folder, "init", "-q", join(folder, "work"));
    return new Repository(folder, login);
  }

  get url(): string {
    return `${this.#server.origin}/shop.git`;
  }

  /** A checkout of the latest commit. */
  get folder(): string {
    return join(this.#folder, "work");
  }

  /** The header `Authorization` of every request there was. */
  get logins(): readonly (string | null)[] {
    return this.#server.logins;
  }

  /** How many requests there were: each fetch takes some. */
  get requests(): number {
    return this.#server.logins.length;
  }

  /** Makes a commit on `main`, or on another branch. @returns its SHA. */
  async commit(files: Files, branch = "main"): Promise<string> {
    const work = join(this.#folder, "work");
    for (const [path, content] of Object.entries(files)) {
      const target = join(work, path);
      await Deno.mkdir(join(target, ".."), { recursive: true });
      await Deno.writeTextFile(target, typeof content === "string" ? content : yamlOf(content));
    }
    const commit = await committed(work, "change");
    await git(work, "push", "-q", "-f", join(this.#folder, "shop.git"), `HEAD:refs/heads/${branch}`);
    return commit;
  }

  /** A symbolic link in the next commit. */
  async link(path: string, target: string): Promise<void> {
    await Deno.symlink(target, join(this.#folder, "work", path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function yamlOf(content: unknown): string {
  const documents = Array.isArray(content) ? content : [content];
  return documents.map((document) => stringify(document)).join("---\n");
}

/** A Deployment and its Service. */
export function webObjects(name: string, text: string): KubeObject[] {
  const labels = { app: name };
  const container = { name: "app", image: `ghcr.io/acme/${name}:v1`, env: [{ name: "TEXT", value: text }] };
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: { selector: labels, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
    },
  ];
}

/** A legal Project. */
export function project(name: string, url: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: "catalyst.catalyst.dev/v1alpha1",
    kind: "Project",
    metadata: { name, namespace: TEAM },
    spec: {
      source: { repositoryUrl: url, branch: "main" },
      deployment: { type: "manifest", path: "manifests" },
      ...spec,
    },
  };
}

/** A legal Environment. */
export function environment(name: string, of: string, spec: Record<string, unknown>): KubeObject {
  return {
    apiVersion: "catalyst.catalyst.dev/v1alpha1",
    kind: "Environment",
    metadata: { name, namespace: TEAM },
    spec: { projectRef: { name: of }, type: "development", ...spec },
  };
}

/** Somebody at a terminal who cares for Environments. */
export class EnvironmentTerminal extends Terminal {
  constructor(plane: ControlPlane) {
    super(plane);
  }

  async env(name: string): Promise<KubeObject | undefined> {
    return await this.get("env", name, TEAM);
  }

  /** Waits until an Environment is in a phase at its present generation, and at a commit where one is named. */
  async untilEnv(name: string, phase: string, commit?: string, timeoutMs = 90_000): Promise<KubeObject> {
    const isThere = (object: KubeObject | undefined): boolean =>
      object?.status?.phase === phase && object.status.observedGeneration === object.metadata.generation &&
      (commit === undefined || object.status.commit === commit);
    return (await waitUntil(`env ${name} to be ${phase}`, () => this.env(name), isThere, timeoutMs))!;
  }

  /** Waits until a condition of an Environment has a reason. */
  override async untilReason(name: string, reason: string, timeoutMs = 60_000, type = "Ready"): Promise<KubeObject> {
    const reasonOf = (object: KubeObject | undefined): string =>
      object?.status?.conditions?.find((each: { type: string }) => each.type === type)?.reason;
    return (await waitUntil(
      `env ${name} to say ${reason}`,
      () => this.env(name),
      (object) => reasonOf(object) === reason,
      timeoutMs,
    ))!;
  }
}

/** What the program prints, as objects. @throws {AssertionError} When it does not end well. */
export async function planned(args: string[], stdin: string): Promise<KubeObject[]> {
  const [program, ...first] = programCommand();
  const streams = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  const child = new Deno.Command(program!, { args: [...first, ...args], ...streams }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return parseAllDocuments(new TextDecoder().decode(stdout)).map((document) => document.toJS());
}
