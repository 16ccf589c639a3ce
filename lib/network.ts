/**
 * IP networks, as NetworkPolicies take them. Pure.
 *
 * @module
 */
import { z } from "zod";

const ADDRESS_BITS = { v4: 32, v6: 128 } as const;

/**
 * Whether a text is a network in CIDR notation that a NetworkPolicy can leave out: an address without host bits (what
 * the API server's strict validation refuses), and not all addresses of its family.
 *
 * @example isNetwork("10.0.0.0/8") // true
 */
export function isNetwork(text: string): boolean {
  const family = z.cidrv4().safeParse(text).success ? "v4" : z.cidrv6().safeParse(text).success ? "v6" : undefined;
  if (!family) return false;
  const [address = "", length = ""] = text.split("/");
  const hostBits = BigInt(ADDRESS_BITS[family] - Number(length));
  const value = family === "v4" ? joined(address.split("."), 10, 8n) : joined(groupsOf(address), 16, 16n);
  return Number(length) > 0 && value % (1n << hostBits) === 0n;
}

/** All eight groups of an IPv6 address. URLs write `::` and an IPv4 tail in one canonical way. */
function groupsOf(address: string): string[] {
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const [left, right] = [head, tail ?? ""].map((part) => part === "" ? [] : part.split(":")) as [string[], string[]];
  return tail === undefined ? left : [...left, ...Array(8 - left.length - right.length).fill("0"), ...right];
}

function joined(parts: readonly string[], radix: number, bits: bigint): bigint {
  return parts.reduce((sum, part) => (sum << bits) + BigInt(parseInt(part, radix)), 0n);
}
