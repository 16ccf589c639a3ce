/**
 * Where a registry must not send us. Pure.
 *
 * A registry names the place where tokens are fetched and redirects to where manifests are; both are followed by a
 * process that can reach more than the registry can. So addresses that are nobody's registry are refused: link-local
 * ones (the metadata services of clouds), loopback and the unspecified address. What a registry itself is on is always
 * allowed: whoever configured or named it sent us there. Private networks are allowed, because registries of companies
 * keep their token servers there (github.com/google/go-containerregistry refuses them unless they are the registry's
 * own host).
 *
 * Names are not resolved: over TLS a name that leads to such an address cannot show a certificate for itself, and
 * metadata services speak no TLS. Plain HTTP is spoken only with registries that the configuration lists.
 *
 * @module
 */

/** Names of metadata services, which resolve only inside of their clouds. */
const METADATA_NAMES: readonly string[] = ["metadata", "metadata.google.internal", "metadata.goog", "instance-data"];
/** Metadata services that are not link-local: AWS and Google over IPv6, Alibaba. */
const METADATA_ADDRESSES: readonly string[] = ["[fd00:ec2::254]", "[fd20:ce::254]", "100.100.100.200"];

/**
 * Why nobody should be sent to a place.
 *
 * @param target where to
 * @param registry what sends there
 * @returns a sentence's end such as `is a link-local address`, or nothing
 */
export function addressProblem(target: URL, registry: URL): string | undefined {
  if (target.host === registry.host) return undefined;
  const host = canonical(target.hostname);
  if (isMetadata(host)) return "is an address of metadata services";
  if (isLinkLocal(host)) return "is a link-local address";
  if (isLoopback(host) && !isLoopback(canonical(registry.hostname))) return "is this machine's own";
  return undefined;
}

/** Whether a registry's own host can be none: the metadata service of a cloud. */
export function isMetadataHost(hostname: string): boolean {
  const host = canonical(hostname);
  return isMetadata(host) || isLinkLocal(host);
}

/** URL has written all forms of IPv4 (hex, octal, one number) as four; here those within IPv6 follow. */
function canonical(hostname: string): string {
  const host = hostname.toLowerCase().replace(/\.$/, "");
  const mapped = /^\[::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(host);
  if (mapped === null) return host;
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function isMetadata(host: string): boolean {
  return METADATA_NAMES.includes(host) || METADATA_ADDRESSES.includes(host);
}

function isLinkLocal(host: string): boolean {
  return /^169\.254\.\d+\.\d+$/.test(host) || /^\[fe[89ab][0-9a-f]:/.test(host);
}

/** The unspecified address reaches this machine, too. */
function isLoopback(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(host) || /^0\.\d+\.\d+\.\d+$/.test(host) || host === "[::1]" || host === "[::]" ||
    host === "localhost" || host.endsWith(".localhost");
}
