/**
 * What builders and git read besides a request. Pure.
 *
 * @module
 */
import type { BuildOptions } from "./request.ts";

/**
 * BuildKit's configuration: mirrors, and which registries are spoken to over plain HTTP.
 *
 * @returns TOML; its strings are written like those of JSON
 */
export function buildkitdToml(
  { insecureRegistries, mirrors }: Pick<BuildOptions, "insecureRegistries" | "mirrors">,
): string {
  const insecure = new Set(insecureRegistries.map((registry) => registry.toLowerCase()));
  const registries = [...new Set([...mirrors.keys(), ...insecure])].sort();
  return registries.map((registry) => {
    const lines = [`[registry.${JSON.stringify(registry)}]`];
    const own = mirrors.get(registry);
    if (own) lines.push(`  mirrors = ${JSON.stringify(own)}`);
    if (insecure.has(registry)) lines.push("  http = true");
    return `${lines.join("\n")}\n`;
  }).join("");
}

/** Scheme, host and port that a login over HTTP may be sent to; `""` for other ways to fetch. */
export function gitOrigin(repositoryUrl: string): string {
  if (!/^https?:/.test(repositoryUrl) || !URL.canParse(repositoryUrl)) return "";
  return new URL(repositoryUrl).origin;
}
