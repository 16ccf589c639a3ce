import assert from "node:assert/strict";
import { BlockList } from "node:net";
import fc from "fast-check";
import type { KubeObject } from "../../api/object.ts";
import type { Project } from "../../api/project.ts";
import { compareQuantities } from "../../api/quantity.ts";
import { DEPLOYER, possibleNamespaces, targetNamespaceObjects } from "./target_namespace.ts";
import { environment, project, SETTINGS } from "./test_objects.ts";

const HOST = "dev.preview.example.com";

interface Given {
  project?: Project;
  settings?: Partial<typeof SETTINGS>;
  secrets?: KubeObject[];
}

/** The objects by `Kind name`. */
function objects({ project: of = project(), settings, secrets = [] }: Given = {}): Record<string, KubeObject> {
  const given = { settings: { ...SETTINGS, ...settings }, host: HOST, secrets };
  const all = targetNamespaceObjects(environment(), of, given);
  return Object.fromEntries(all.map((object) => [`${object.kind} ${object.metadata.name}`, object]));
}

const BUILD = { dockerfile: "Dockerfile", context: ".", builder: "buildkit", timeoutSeconds: 600 } as const;

Deno.test("the namespace comes first, with its names, its branch, its host and the Pod Security Standard", () => {
  const [first] = targetNamespaceObjects(environment(), project(), { settings: SETTINGS, host: HOST, secrets: [] });
  assert.deepEqual(first, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: "acme-shop-dev",
      labels: {
        "catalyst.dev/team": "acme",
        "catalyst.dev/project": "shop",
        "catalyst.dev/environment": "dev",
        "catalyst.dev/branch": "feature-login",
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/warn": "restricted",
      },
      annotations: { "maquette.dev/host": HOST },
    },
  });
});

Deno.test("everything else is in the namespace", () => {
  for (const [name, { metadata }] of Object.entries(objects()).slice(1)) {
    assert.equal(metadata.namespace, "acme-shop-dev", name);
  }
});

Deno.test("the quota is the Project's, and there is no way in beside the Ingress", () => {
  const all = objects();
  assert.deepEqual(all["ResourceQuota maquette-compute"]!.spec, {
    hard: { "requests.cpu": "1", "requests.memory": "2Gi", "limits.memory": "2Gi" },
  });
  const ways = { "services.loadbalancers": "0", "services.nodeports": "0" };
  assert.deepEqual(all["ResourceQuota maquette-services"]!.spec.hard, ways);
  const solving = objects({ settings: { tls: { mode: "cert-manager", clusterIssuer: "x" } } });
  assert.equal(solving["ResourceQuota maquette-services"]!.spec.hard["services.nodeports"], "1");
});

Deno.test("builds have room of their own, so that an environment that is full can be replaced", () => {
  const all = objects({ project: project({ build: { ...BUILD, image: "ghcr.io/acme/shop" } }) });
  assert.equal(all["ResourceQuota maquette-compute"], undefined);
  assert.deepEqual(all["ResourceQuota maquette-serving"]!.spec, {
    hard: { "requests.cpu": "1", "requests.memory": "2Gi", "limits.memory": "2Gi" },
    scopes: ["NotTerminating"],
  });
  assert.deepEqual(all["ResourceQuota maquette-builds"]!.spec.scopes, ["Terminating"]);
});

Deno.test("without a quota nothing is limited but the ways in", () => {
  const quotas = Object.keys(objects({ project: project({ resources: undefined }) })).filter((name) =>
    name.startsWith("ResourceQuota")
  );
  assert.deepEqual(quotas, ["ResourceQuota maquette-services"]);
});

const cpu = fc.constantFrom("0", "10m", "50m", "100m", "1", "4", 2);
const memory = fc.constantFrom("0", "1Mi", "64Mi", "128Mi", "300Mi", "2Gi", 1_000_000);

Deno.test("a Pod that names nothing starts, and fits every quota", () => {
  const quota = fc.record({ cpu, memory }, { requiredKeys: [] });
  fc.assert(fc.property(quota, (defaultQuota) => {
    const all = objects({ project: project({ resources: { defaultQuota } }) });
    const { default: limits, defaultRequest: requests } = all["LimitRange maquette"]!.spec.limits[0];
    const hard = all["ResourceQuota maquette-compute"]?.spec.hard ?? {};
    for (const [name, most] of Object.entries<string>(hard)) {
      const [side, resource = ""] = name.split(".");
      const filled = (side === "limits" ? limits : requests)[resource];
      // A quota on what nobody fills in refuses Pods that name nothing.
      assert.ok(filled !== undefined, name);
      assert.ok(compareQuantities(filled, most) <= 0, `${name}: ${filled} > ${most}`);
    }
    for (const [name, limit] of Object.entries<string>(limits)) {
      assert.ok(compareQuantities(requests[name], limit) <= 0);
    }
  }));
});

Deno.test("everything is denied both ways, but for Pods of the same namespace and the ingress controller", () => {
  const all = objects({ settings: { ingressNamespace: "edge" } });
  const { spec } = all["NetworkPolicy maquette-default-deny"]!;
  assert.deepEqual(spec, { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [], egress: [] });
  const inside = all["NetworkPolicy maquette-allow-inside"]!.spec;
  assert.deepEqual([inside.ingress, inside.egress], [[{ from: [{ podSelector: {} }] }], [{
    to: [{ podSelector: {} }],
  }]]);
  assert.deepEqual(all["NetworkPolicy maquette-allow-ingress"]!.spec.ingress, [
    { from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "edge" } } }] },
  ]);
});

type Block = { cidr: string; except?: string[] };

/** Whether the policy for what goes out allows an address outside the cluster's DNS. */
function isReached(address: string, egress: { to: { ipBlock?: Block }[] }[]): boolean {
  const family = address.includes(":") ? "ipv6" : "ipv4";
  const isIn = (cidr: string): boolean => {
    const [net = "", length] = cidr.split("/");
    if (net.includes(":") !== address.includes(":")) return false;
    const list = new BlockList();
    list.addSubnet(net, Number(length), family);
    return list.check(address, family);
  };
  const blocks = egress.flatMap(({ to }) => to.flatMap(({ ipBlock }) => ipBlock ? [ipBlock] : []));
  return blocks.some(({ cidr, except = [] }) => isIn(cidr) && !except.some(isIn));
}

Deno.test("out goes what is for DNS and the internet, not for metadata and the cluster, but where it is allowed", () => {
  const { egress } = objects()["NetworkPolicy maquette-allow-egress"]!.spec;
  assert.deepEqual(egress[0].ports, [{ protocol: "UDP", port: 53 }, { protocol: "TCP", port: 53 }]);
  for (const address of ["93.184.216.34", "2606:2800:220:1::1"]) assert.ok(isReached(address, egress), address);
  for (const address of ["169.254.169.254", "fd00:ec2::254", "10.96.0.1", "fd12::1"]) {
    assert.ok(!isReached(address, egress), address);
  }
  const open = objects({ settings: { reachableRanges: ["10.1.2.3/32"] } });
  const opened = open["NetworkPolicy maquette-allow-egress"]!.spec.egress;
  assert.ok(isReached("10.1.2.3", opened) && !isReached("10.1.2.4", opened));
});

Deno.test("who deploys may do what the namespace's admin may, and nothing mounts its token", () => {
  const all = objects();
  assert.equal(all[`ServiceAccount ${DEPLOYER}`]!.automountServiceAccountToken, false);
  const { roleRef, subjects } = all[`RoleBinding ${DEPLOYER}`]!;
  assert.deepEqual(roleRef, { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "admin" });
  assert.deepEqual(subjects, [{ kind: "ServiceAccount", name: DEPLOYER, namespace: "acme-shop-dev" }]);
});

Deno.test("Secrets are copied by reference, without what is in them", () => {
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "database", namespace: "acme", uid: "u", resourceVersion: "7" },
    data: { password: "c2VjcmV0" },
  };
  assert.deepEqual(objects({ secrets: [secret] })["Secret database"], {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "database",
      namespace: "acme-shop-dev",
      annotations: { "maquette.dev/source-version": "acme/database@u/7" },
    },
  });
});

Deno.test("deletion looks for the namespace that was made, whatever became of the labels", () => {
  assert.deepEqual(possibleNamespaces(environment()), ["acme-shop-dev"]);
  const stripped = environment({}, { status: { namespace: "my-team-shop-dev" } });
  assert.deepEqual(possibleNamespaces(stripped), ["my-team-shop-dev", "acme-shop-dev"]);
});
