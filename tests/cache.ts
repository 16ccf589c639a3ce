/**
 * What tests make or fetch once for all checkouts, under `$XDG_CACHE_HOME/maquette`.
 *
 * @module
 */
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/**
 * A file or folder of the cache, made where it is missing. Only what is complete ever has the final name.
 *
 * @param kind folder of the cache
 * @param name path in it; it follows from all that the content depends on
 * @param make makes it at the path that it is given, of which nothing is there yet
 * @returns its path
 */
export async function cached(kind: string, name: string, make: (path: string) => Promise<void>): Promise<string> {
  const folder = join(Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache"), "maquette", kind);
  const path = join(folder, name);
  await Deno.mkdir(dirname(path), { recursive: true });
  // Two test processes may do this at once: one makes it, the other waits. The kernel releases the lock.
  using lock = await Deno.open(join(folder, "lock"), { create: true, write: true });
  await lock.lock(true);
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  const partial = `${path}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(() => {});
  await make(partial);
  await Deno.rename(partial, path);
  return path;
}
