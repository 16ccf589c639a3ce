/** The script that fetches the source of a build, run as its container runs it, by a real git. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { fetchContainer } from "../../lib/build/containers.ts";
import type { BuildRequest } from "../../lib/build/request.ts";
import { options, request } from "../../lib/build/test_builds.ts";
import { GitServer, makeRepository } from "./git_server.ts";

/** A password that would do things in a shell. */
const PASSWORD = `p$(touch hacked)'"\`id\``;
const LOGIN = `Basic ${Buffer.from(`x-access-token:${PASSWORD}`).toString("base64")}`;

/** A temporary folder with a repository, and where a container would have its volumes. */
class Bench implements AsyncDisposable {
  readonly #folder: string;
  readonly commits: { commit: string; pull: string };
  #runs = 0;

  private constructor(folder: string, commits: { commit: string; pull: string }) {
    this.#folder = folder;
    this.commits = commits;
  }

  static async create(): Promise<Bench> {
    const folder = await Deno.makeTempDir({ prefix: "maquette-source-" });
    const commits = await makeRepository(folder, async (work) => {
      await Deno.mkdir(join(work, "web $(id)"), { recursive: true });
      await Deno.writeTextFile(join(work, "web $(id)", "Dockerfile"), "FROM scratch\n");
      await Deno.symlink("/etc/passwd", join(work, "web $(id)", "Passwords"));
      await Deno.symlink("web $(id)", join(work, "same"));
      await Deno.symlink("/etc", join(work, "away"));
    });
    return new Bench(folder, commits);
  }

  get folder(): string {
    return this.#folder;
  }

  /** Runs the container's command. @returns its exit code and what it said; the files that it fetched. */
  async fetch(over: Partial<BuildRequest>, login: Record<string, string> = {}): Promise<Fetched> {
    const home = join(this.#folder, `run-${this.#runs++}`);
    await Deno.mkdir(join(home, "login"), { recursive: true });
    for (const [name, value] of Object.entries(login)) await Deno.writeTextFile(join(home, "login", name), value);
    const container = fetchContainer(request({ commit: this.commits.commit, context: ".", ...over }), options());
    const [program, ...args] = container.command as [string, ...string[]];
    const variables = (container.env as { name: string; value?: string }[])
      .map(({ name, value = "" }) => [name, value.replaceAll("$$", "$")]);
    const volumes = {
      HOME: home,
      SOURCE: join(home, "source"),
      SETTINGS: join(home, "settings"),
      LOGIN: join(home, "login"),
    };
    const { code, stderr } = await new Deno.Command(program, {
      args,
      cwd: home,
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH")!, ...Object.fromEntries(variables), ...volumes },
    }).output();
    const names = code === 0 ? [...Deno.readDirSync(volumes.SOURCE)].map(({ name }) => name).sort() : [];
    assert.ok(![...Deno.readDirSync(home)].some(({ name }) => name === "hacked"));
    return { code, said: new TextDecoder().decode(stderr), names };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

interface Fetched {
  code: number;
  said: string;
  names: string[];
}

const FOLDER = "web $(id)";

Deno.test("the source of a build", async (t) => {
  await using bench = await Bench.create();
  await using server = new GitServer({ folder: bench.folder, login: LOGIN });
  const repositoryUrl = `${server.origin}/shop.git`;
  const login = { password: PASSWORD };

  await t.step("is the commit, without git's own files", async () => {
    const { code, said, names } = await bench.fetch({ repositoryUrl, context: FOLDER }, login);
    assert.deepEqual([code, said, names], [0, "", ["away", "same", FOLDER]]);
  });

  await t.step("may be a commit that only a pull request has", async () => {
    const { names } = await bench.fetch({ repositoryUrl, commit: bench.commits.pull, context: FOLDER }, login);
    assert.ok(names.includes("pull"));
  });

  await t.step("is fetched by branches from a server that serves no bare commit", async () => {
    await using old = new GitServer({ folder: bench.folder, isOld: true });
    const { code, said, names } = await bench.fetch({ repositoryUrl: `${old.origin}/shop.git`, context: FOLDER });
    assert.match(said, /unadvertised object/);
    assert.deepEqual(names, ["away", "same", FOLDER]);
    assert.equal(code, 0);
  });

  const refused: Record<string, [over: Partial<BuildRequest>, said: RegExp]> = {
    "is missing without a commit": [{ commit: "0".repeat(40) }, /Commit 0{40} is not in the repository/],
    "has no such folder": [{ context: "nowhere" }, /Context "nowhere" is no folder of commit/],
    "has no such Dockerfile": [{ dockerfile: "Nothing" }, /Dockerfile "Nothing" is missing in folder "\."/],
    "has no Dockerfile that is a folder": [{ dockerfile: FOLDER }, /is missing in folder/],
    "is not left by a folder that is a link": [{ context: "away", dockerfile: "passwd" }, /"away" leads out of/],
    "is not left by a Dockerfile that is a link": [
      { context: FOLDER, dockerfile: "Passwords" },
      /"Passwords" leads out of/,
    ],
  };

  for (const [name, [over, expected]] of Object.entries(refused)) {
    await t.step(name, async () => {
      const { code, said } = await bench.fetch({ repositoryUrl, ...over }, login);
      assert.equal(code, 1);
      assert.match(said, expected);
    });
  }

  await t.step("may be reached by a link that stays in it", async () => {
    assert.equal((await bench.fetch({ repositoryUrl, context: "same" }, login)).code, 0);
  });

  await t.step("is denied to a wrong login, which is not shown", async () => {
    const { code, said } = await bench.fetch({ repositoryUrl, context: FOLDER }, {
      username: "eve",
      password: "hunter2",
    });
    assert.ok(code > 1);
    assert.match(said, /Authentication failed/);
    assert.ok(!said.includes("hunter2"));
  });

  await t.step("is not fetched from where a redirect leads, and the login is not sent there", async () => {
    await using other = new GitServer({ folder: bench.folder });
    await using moved = new GitServer({ folder: bench.folder, redirect: other.origin });
    const { code } = await bench.fetch({ repositoryUrl: `${moved.origin}/shop.git`, context: FOLDER }, login);
    assert.ok(code > 0);
    assert.deepEqual(other.logins, []);
    assert.ok(moved.logins.includes(LOGIN));
  });
});
