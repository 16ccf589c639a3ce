/**
 * Where a repository lies. Pure.
 *
 * @module
 */

/** Host, with its port where one is written: `git.example.com`, `git.example.com:8443`. */
export function repositoryHost(repositoryUrl: string): string | undefined {
  if (/^[a-z]+:\/\//.test(repositoryUrl)) {
    return URL.canParse(repositoryUrl) ? new URL(repositoryUrl).host || undefined : undefined;
  }
  return /^[^@/]+@([^:/]+):/.exec(repositoryUrl)?.[1];
}

/** The machine, however its ports and letters are written. */
export function repositoryMachine(repositoryUrl: string): string | undefined {
  return repositoryHost(repositoryUrl)?.replace(/:\d+$/, "").replace(/\.$/, "").toLowerCase();
}
