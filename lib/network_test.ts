import assert from "node:assert/strict";
import { isNetwork } from "./network.ts";

const CASES: Record<string, [text: string, expected: boolean]> = {
  "a private network": ["10.0.0.0/8", true],
  "a network inside an octet": ["172.16.0.0/12", true],
  "one address": ["169.254.169.254/32", true],
  "a network of IPv6": ["fc00::/7", true],
  "a network of IPv6 with all groups": ["2001:db8:0:0:0:0:0:0/32", true],
  "one address of IPv6": ["fd00:ec2::254/128", true],
  "an address alone": ["10.0.0.0", false],
  "host bits": ["10.1.2.3/8", false],
  "host bits of IPv6": ["fd00::1/8", false],
  "all addresses": ["0.0.0.0/0", false],
  "all addresses of IPv6": ["::/0", false],
  "an octet over 255": ["10.0.0.256/32", false],
  "a length over 32": ["10.0.0.0/33", false],
  "nothing": ["", false],
};

for (const [sentence, [text, expected]] of Object.entries(CASES)) {
  Deno.test(`isNetwork() ${expected ? "takes" : "refuses"} ${sentence}`, () => assert.equal(isNetwork(text), expected));
}
