/** Command lines of processes that mention the folder of a control plane. */
export async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const line = /^\d+$/.test(name) ? await commandLine(name) : "";
    if (line.includes(folder)) found.push(line);
  }
  return found;
}

/** The command line of a process; empty when it has ended, even if nobody has asked for its exit code yet. */
export async function commandLine(pid: number | string): Promise<string> {
  return (await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "")).replaceAll("\0", " ");
}

/** Whether there is anything at a path. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** Runs an action with further environment variables. */
export async function withEnvironment(variables: Record<string, string>, action: () => Promise<void>): Promise<void> {
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    await action();
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  }
}
