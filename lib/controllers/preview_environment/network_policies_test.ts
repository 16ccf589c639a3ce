import assert from "node:assert/strict";
import { BlockList } from "node:net";
import type { KubeObject } from "../../api/object.ts";
import { networkPolicies } from "./network_policies.ts";
import type { PreviewSettings } from "./settings.ts";
import { SETTINGS } from "./test_objects.ts";

function policies(settings: Partial<PreviewSettings> = {}): Record<string, KubeObject> {
  const all = networkPolicies("preview-pr-7", 8000, { ...SETTINGS, ...settings });
  return Object.fromEntries(all.map((policy) => [policy.metadata.name, policy]));
}

Deno.test("everything is denied both ways", () => {
  assert.deepEqual(policies()["default-deny"], {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "default-deny", namespace: "preview-pr-7" },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [], egress: [] },
  });
});

Deno.test("in goes what comes from the ingress controller's namespace on the port, and nothing else", () => {
  assert.deepEqual(policies({ ingressNamespace: "edge" })["allow-ingress"]!.spec, {
    podSelector: {},
    policyTypes: ["Ingress"],
    ingress: [{
      from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "edge" } } }],
      ports: [{ protocol: "TCP", port: 8000 }],
    }],
  });
});

Deno.test("out goes DNS to the cluster's own servers, over UDP and TCP", () => {
  assert.deepEqual(policies()["allow-egress"]!.spec.egress[0], {
    to: [{
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
      podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
    }],
    ports: [{ protocol: "UDP", port: 53 }, { protocol: "TCP", port: 53 }],
  });
});

Deno.test("there is one policy for each purpose", () => {
  const names = ["default-deny", "allow-ingress", "allow-egress"];
  assert.deepEqual(Object.keys(policies({ tls: { mode: "none" } })), names);
  assert.deepEqual(Object.keys(policies({ tls: { mode: "wildcard", secret: "tls" } })), names);
  assert.deepEqual(Object.keys(policies()), [...names, "allow-acme"]);
});

Deno.test("with cert-manager its solver is reached from the ingress controller, and only its solver", () => {
  const { podSelector, policyTypes, ingress } = policies()["allow-acme"]!.spec;
  assert.deepEqual(podSelector, { matchLabels: { "acme.cert-manager.io/http01-solver": "true" } });
  assert.deepEqual(policyTypes, ["Ingress"]);
  assert.deepEqual(ingress[0].ports, [{ protocol: "TCP", port: 8089 }]);
});

interface IpBlock {
  cidr: string;
  except: string[];
}

function blocks(clusterRanges: string[]): IpBlock[] {
  const peers: { ipBlock: IpBlock }[] = policies({ clusterRanges })["allow-egress"]!.spec.egress[1].to;
  return peers.map(({ ipBlock }) => ipBlock);
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}

function contains({ cidr, except }: IpBlock, address: string): boolean {
  if (familyOf(cidr) !== familyOf(address)) return false;
  const denied = new BlockList();
  for (const range of except) {
    const [network = "", prefix] = range.split("/");
    denied.addSubnet(network, Number(prefix), familyOf(range));
  }
  return !denied.check(address, familyOf(address));
}

const RANGES = ["10.0.0.0/8", "172.16.0.0/12", "fc00::/7", "2001:db8:1::/48"];

const ADDRESSES: Record<string, { address: string; isAllowed: boolean; ranges?: string[] }> = {
  "an address of the internet": { address: "140.82.121.3", isAllowed: true },
  "an IPv6 address of the internet": { address: "2606:50c0:8000::153", isAllowed: true },
  "the metadata address": { address: "169.254.169.254", isAllowed: false },
  "the task metadata address": { address: "169.254.170.2", isAllowed: false },
  "a link-local IPv6 address": { address: "fe80::a9fe:a9fe", isAllowed: false },
  "the metadata address on IPv6 without cluster ranges": { address: "fd00:ec2::254", isAllowed: false, ranges: [] },
  "the other metadata address on IPv6 without cluster ranges": {
    address: "fd20:ce::254",
    isAllowed: false,
    ranges: [],
  },
  "a Pod": { address: "10.244.1.7", isAllowed: false },
  "a Service": { address: "172.20.0.1", isAllowed: false },
  "a Pod on IPv6": { address: "2001:db8:1::7", isAllowed: false },
  "a neighbour of the cluster's IPv6 range": { address: "2001:db8:2::7", isAllowed: true },
  "a private address that is not the cluster's": { address: "192.168.1.1", isAllowed: true },
  "an address that is private by default only": { address: "10.1.1.1", isAllowed: true, ranges: [] },
};

for (const [sentence, { address, isAllowed, ranges = RANGES }] of Object.entries(ADDRESSES)) {
  Deno.test(`out to the internet: ${sentence} is ${isAllowed ? "reached" : "not reached"}`, () => {
    assert.equal(blocks(ranges).some((block) => contains(block, address)), isAllowed);
  });
}

Deno.test("exceptions are of the family of what they are taken from, as the API server wants it", () => {
  const [v4, v6] = blocks(RANGES);
  assert.equal(v4!.cidr, "0.0.0.0/0");
  assert.equal(v6!.cidr, "::/0");
  assert.ok(v4!.except.every((range) => familyOf(range) === "ipv4"));
  assert.ok(v6!.except.every((range) => familyOf(range) === "ipv6"));
  assert.equal(v4!.except.length + v6!.except.length, RANGES.length + 4);
});
