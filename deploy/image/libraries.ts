/**
 * Which shared libraries a program needs. Pure.
 *
 * @module
 */

/**
 * Reads what `ldd` prints, found or not found.
 *
 * @returns file names, the loader among them, sorted; none for a static program
 * @example
 * ```ts
 * readLdd("\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n"); // ["libc.so.6"]
 * ```
 */
export function readLdd(output: string): string[] {
  const names = output.split("\n").flatMap((line) => {
    const name = /^\s+(\S+)(?: => .*| \(0x[0-9a-f]+\))$/.exec(line)?.[1];
    return name ? [name.slice(name.lastIndexOf("/") + 1)] : [];
  });
  // The kernel's own, which is no file.
  return names.filter((name) => !/^linux-(vdso|gate)\.so/.test(name)).sort();
}
