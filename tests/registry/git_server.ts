import { join } from "node:path";

/** A git server over HTTP (`git http-backend`) that wants a login, and one repository in it. */
export class GitServer implements AsyncDisposable {
  /** The Authorization of every request. */
  readonly logins: (string | null)[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #folder: string;
  readonly #login: string | undefined;
  readonly #redirect: string | undefined;
  readonly #isOld: boolean;

  /**
   * @param options.folder has the bare repositories
   * @param options.login value of the header that opens them; absent: they are open
   * @param options.redirect another server that every request is sent to
   * @param options.isOld whether it speaks the first protocol only, which gives away the ends of branches alone
   */
  constructor(options: { folder: string; login?: string; redirect?: string; isOld?: boolean }) {
    this.#folder = options.folder;
    this.#login = options.login;
    this.#redirect = options.redirect;
    this.#isOld = options.isOld ?? false;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen(): void {} },
      (request) => this.#answer(request),
    );
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    this.logins.push(request.headers.get("authorization"));
    const body = new Uint8Array(await request.arrayBuffer());
    if (this.#redirect) return Response.redirect(`${this.#redirect}${pathname}${search}`);
    if (this.#login && request.headers.get("authorization") !== this.#login) {
      return new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="git"' } });
    }
    return await this.#backend(request, body);
  }

  /** By the rules of CGI. */
  async #backend({ url, method, headers }: Request, body: Uint8Array): Promise<Response> {
    const process = new Deno.Command("git", {
      args: ["http-backend"],
      env: {
        GIT_PROJECT_ROOT: this.#folder,
        GIT_HTTP_EXPORT_ALL: "1",
        GIT_PROTOCOL: this.#isOld ? "" : headers.get("git-protocol") ?? "",
        PATH_INFO: new URL(url).pathname,
        QUERY_STRING: new URL(url).search.slice(1),
        REQUEST_METHOD: method,
        CONTENT_TYPE: headers.get("content-type") ?? "",
        CONTENT_LENGTH: String(body.length),
        HTTP_CONTENT_ENCODING: headers.get("content-encoding") ?? "",
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = process.stdin.getWriter();
    await writer.write(body).then(() => writer.close());
    return parsed((await process.output()).stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function parsed(output: Uint8Array<ArrayBuffer>): Response {
  const text = new TextDecoder("latin1").decode(output);
  const end = text.indexOf("\r\n\r\n");
  const headers = new Headers();
  for (const line of text.slice(0, end).split("\r\n")) headers.set(...(line.split(": ", 2) as [string, string]));
  const status = Number(headers.get("status")?.slice(0, 3) ?? 200);
  headers.delete("status");
  return new Response(output.slice(end + 4), { status, headers });
}

/** Calls git in a folder. @returns what it says. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  const who = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"];
  const { success, stdout, stderr } = await new Deno.Command("git", { args: [...who, ...args], cwd: folder }).output();
  if (!success) throw new Error(`git ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}

/** Makes a bare repository `shop.git` of files. @returns the first commit of its branch, and one that only a pull request has. */
export async function makeRepository(
  folder: string,
  fill: (work: string) => Promise<void>,
): Promise<{ commit: string; pull: string }> {
  const [work, bare] = [join(folder, "work"), join(folder, "shop.git")];
  await git(folder, "init", "-q", "--bare", bare);
  await git(folder, "init", "-q", work);
  await fill(work);
  const commit = await committed(work, "first");
  await Deno.writeTextFile(join(work, "second"), "");
  await committed(work, "second");
  await git(work, "push", "-q", bare, "HEAD:refs/heads/main");
  await Deno.writeTextFile(join(work, "pull"), "7");
  const pull = await committed(work, "pull");
  await git(work, "push", "-q", bare, "HEAD:refs/pull/7/head");
  return { commit, pull };
}

/** Commits all that stands in a checkout, which may be what it was. @returns the commit */
export async function committed(work: string, message: string): Promise<string> {
  await git(work, "add", "-A");
  await git(work, "commit", "-q", "--allow-empty", "-m", message);
  return await git(work, "rev-parse", "HEAD");
}
