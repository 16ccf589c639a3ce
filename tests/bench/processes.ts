/**
 * What processes have used, from /proc.
 *
 * @module
 */

/** `USER_HZ`, which is 100 on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** The processes whose CPU time is told. */
export const COMPONENTS = ["kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler", "kwok"] as const;

/** CPU seconds, user and system, by a name for the process. */
export type CpuSeconds = Record<string, number>;

/** CPU seconds that a process has used, user and system. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name of the program, in brackets, may hold spaces; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory in MiB: now, and the most there ever was. */
export async function memory(pid: number): Promise<{ rssMb: number; peakMb: number }> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const mb = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? NaN) / 1024;
  return { rssMb: mb("VmRSS"), peakMb: mb("VmHWM") };
}

/** Process ids of a control plane's components: those that were started with its folder on the command line. */
export async function componentsOf(folder: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const { name: pid } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const line = (await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "")).split("\0");
    const program = line[0]!.slice(line[0]!.lastIndexOf("/") + 1);
    const isOurs = line.slice(1).some((argument) => argument.includes(folder));
    if (isOurs && (COMPONENTS as readonly string[]).includes(program)) found.set(program, Number(pid));
  }
  return found;
}
