/**
 * Programs of a database server as processes of this machine.
 *
 * @module
 */

/** Ends the server when this process ends, however it ends: the pipe to standard input closes then. */
const WITH_PARENT = 'exec 3<&0; (cat <&3 >/dev/null; kill -QUIT $$ 2>/dev/null) & exec 3<&- "$@" </dev/null';

/** Starts a server that ends with this process; what it says to standard error can be read. */
export function spawnServer(command: readonly string[]): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: ["-c", WITH_PARENT, "sh", ...command],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

/** Appends what the server says to a file, until it ends. */
export async function writeLog(child: Deno.ChildProcess, path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, append: true });
  for await (const chunk of child.stderr) await file.write(chunk);
}

/** Ends a server and waits until it has gone. */
export async function endServer(child: Deno.ChildProcess, signal: Deno.Signal): Promise<void> {
  child.kill(signal);
  await child.status;
  await child.stdin.close().catch(() => {});
}

/**
 * Runs a program to its end.
 *
 * @returns its standard output
 * @throws {Error} with what it said to standard error
 */
export async function run(
  [program, ...args]: string[],
  { env, stdin }: { env?: Record<string, string>; stdin?: string } = {},
): Promise<string> {
  const child = new Deno.Command(program!, {
    args,
    env,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const feeding = stdin === undefined ? Promise.resolve() : feed(child, stdin);
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), feeding]);
  if (code === 0) return new TextDecoder().decode(stdout);
  throw new Error(`Failed to run "${program}": ${new TextDecoder().decode(stderr).trim()}`);
}

async function feed(child: Deno.ChildProcess, text: string): Promise<void> {
  const writer = child.stdin.getWriter();
  // A program that fails early reads nothing; its exit code says so.
  await writer.write(new TextEncoder().encode(text)).catch(() => {});
  await writer.close().catch(() => {});
}

/** A port of loopback that nobody listens at. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
