/**
 * One container as a process of this machine, in a root of its own: the machine's programs, `/tmp` and the container's
 * mounts, each at its own path. Linux only (`unshare`); needs root or user namespaces.
 *
 * @module
 */

/** A folder or file of this machine, and where the container sees it. */
export interface Mount {
  source: string;
  path: string;
  isReadOnly?: boolean;
  /** Bytes of an empty volume in place of `source`: what is written is lost, and there is no room for more. */
  roomBytes?: number;
}

/** What is run. */
export interface Contained {
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  mounts: readonly Mount[];
  workingDir?: string;
  /** Who it runs as, where this process may choose: it runs as root. */
  user?: number;
  group?: number;
}

/** Programs and their data; what else the machine has is nobody's business. */
const SHARED = "bin sbin lib lib32 lib64 libx32 usr etc opt";
const DEVICES = "null zero full random urandom";

/** Arguments: root, `source path ro|rw|<bytes>` for each mount, `--`, the command. */
const SETUP = `
set -e
root=$1; shift
mount -t tmpfs tmpfs "$root"
for name in ${SHARED}; do
  if [ -L "/$name" ]; then cp -P "/$name" "$root/$name"
  elif [ -d "/$name" ]; then mkdir "$root/$name"; mount --rbind "/$name" "$root/$name"
  fi
done
mkdir -p "$root/dev/shm" "$root/proc"
mkdir -m 1777 "$root/tmp"
for name in ${DEVICES}; do : >"$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
ln -s /proc/self/fd "$root/dev/fd"
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
while [ "$1" != "--" ]; do
  source=$1; path=$root$2; mode=$3; shift 3
  case $mode in
    ro | rw)
      if [ -d "$source" ]; then mkdir -p "$path"; else mkdir -p "$(dirname "$path")"; : >>"$path"; fi
      mount --bind "$source" "$path"
      if [ "$mode" = ro ]; then mount -o remount,bind,ro "$path"; fi ;;
    *) mkdir -p "$path"; mount -t tmpfs -o "mode=1777,size=$mode" tmpfs "$path" ;;
  esac
done
shift
exec chroot "$root" "$@"
`;

/**
 * Starts it. When the process is killed, everything that it started is killed as well.
 *
 * @param root an empty folder, which stays empty
 */
export function contain(contained: Contained, root: string): Deno.ChildProcess {
  const { command, env, mounts, workingDir = "/" } = contained;
  const isRoot = Deno.uid() === 0;
  const places = mounts.flatMap(({ source, path, isReadOnly, roomBytes }) => [
    ...[source, path, roomBytes === undefined ? (isReadOnly ? "ro" : "rw") : String(roomBytes)],
  ]);
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const inside = ["sh", "-c", 'cd "$1"; shift; exec "$@"', "sh", workingDir, "env", "-i", ...variables, ...command];
  return new Deno.Command("unshare", {
    args: [
      ...["--mount", "--pid", "--fork", "--kill-child", ...(isRoot ? [] : ["--map-root-user"])],
      ...["sh", "-c", SETUP, "sh", root, ...places, "--", ...(isRoot ? dropped(contained) : []), ...inside],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function dropped({ user, group = user }: Contained): string[] {
  // Whoever changes its user would outlive `unshare` otherwise.
  const kept = "--pdeathsig=SIGKILL";
  return user === undefined ? [] : ["setpriv", `--reuid=${user}`, `--regid=${group}`, "--clear-groups", kept];
}
