/**
 * The boundary around environments: what accounts in one must not write at run time, whatever roles a source has given
 * them, and that all else goes on. By a real API server.
 *
 * @module
 */
import assert from "node:assert/strict";
import { installation } from "../../cli/install/objects.ts";
import type { KubeObject } from "../../lib/api/object.ts";
import { readCommandLine } from "../../lib/config.ts";
import { type ControlPlane, startControlPlane } from "../control_plane/control_plane.ts";
import type { KubectlResult } from "../control_plane/kubectl.ts";
import { waitFor, waitUntil } from "../wait.ts";
import { ACCOUNT, applied, environmentObjects } from "./deployments.ts";
import { preview } from "./previews.ts";

const SHOP = "shop-pr-7";
const OTHER = "shop-pr-8";
const HOST = "pr-7.preview.example.com";
const RBAC = "rbac.authorization.k8s.io";
const KINDS = ["networkpolicies", "services", "ingresses", "secrets", "pods", "deployments", "printers"];

/** Whom a source may bind the role `admin` to, by kubectl's flags. */
const ACTORS: Record<string, string[]> = {
  "the account that deploys": [`--as=system:serviceaccount:${SHOP}:${ACCOUNT}`],
  "an account of the source": [`--as=system:serviceaccount:${SHOP}:robot`],
  "an account of another environment": [`--as=system:serviceaccount:${OTHER}:robot`],
  "whoever is not logged in": ["--as=system:anonymous", "--as-group=system:unauthenticated"],
};

function object(apiVersion: string, kind: string, fields: Record<string, unknown> = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: "made" }, ...fields };
}

function service(spec: object, annotations = {}): KubeObject {
  const ports = [{ port: 80 }];
  return { ...object("v1", "Service", { spec: { ports, ...spec } }), metadata: { name: "made", annotations } };
}

function ingress(host: string | undefined, { annotations = {}, more = {}, path = "/" } = {}): KubeObject {
  const backend = { service: { name: "web", port: { number: 80 } } };
  const rules = [{ ...(host ? { host } : {}), http: { paths: [{ path, pathType: "Prefix", backend }] } }];
  const fields = { spec: { rules, ...more } };
  return { ...object("networking.k8s.io/v1", "Ingress", fields), metadata: { name: "made", annotations } };
}

function pod(serviceAccountName: string): KubeObject {
  return object("v1", "Pod", { spec: { serviceAccountName, containers: [{ name: "app", image: "app" }] } });
}

function tokenSecret(name: string): KubeObject {
  const metadata = { name: "made", annotations: { "kubernetes.io/service-account.name": name } };
  return { ...object("v1", "Secret", { type: "kubernetes.io/service-account-token" }), metadata };
}

const OPEN = object("networking.k8s.io/v1", "NetworkPolicy", {
  spec: { podSelector: {}, ingress: [{}], egress: [{}] },
});
const PRINTER = object("cadumillani.com.br/v1", "Printer", { spec: { textToPrint: "hello" } });
const NGINX = "nginx.ingress.kubernetes.io";

/** Those who have nothing to do with the environment: they try what goes by who somebody is. */
const STRANGERS = ["an account of another environment", "whoever is not logged in"];
const BY_RIGHT = ["isolation", "kinds", "tokens"];

/** By what is tried: the policy that refuses it, and the object, or kubectl's arguments. */
const REFUSED: Record<string, [policy: string, what: KubeObject | string[]]> = {
  "make a NetworkPolicy": ["isolation", OPEN],
  "change a NetworkPolicy": ["isolation", ["label", "networkpolicy", "ours", "a=b"]],
  "delete a NetworkPolicy": ["isolation", ["delete", "networkpolicy", "ours"]],
  "delete all NetworkPolicies": ["isolation", ["delete", "networkpolicies", "--all"]],
  "make an object of Maquette's kinds": ["kinds", PRINTER],
  "make an environment": ["kinds", { ...preview(9), metadata: { name: "made" } }],
  "delete an object of Maquette's kinds": ["kinds", ["delete", "printer", "ours"]],
  "have a token of the account that deploys": ["tokens", ["create", "token", ACCOUNT]],
  "run a Pod as the account that deploys": ["pods", pod(ACCOUNT)],
  "keep a token of the account that deploys": ["secrets", tokenSecret(ACCOUNT)],
  "send traffic to another name": ["services", service({ type: "ExternalName", externalName: "db.acme.svc" })],
  "take traffic for addresses": ["services", service({ externalIPs: ["192.0.2.1"] })],
  "write into a DNS zone": ["services", service({}, { "external-dns.alpha.kubernetes.io/hostname": "a.example.com" })],
  "take another host": ["ingresses", ingress("pr-8.preview.example.com")],
  "take all hosts": ["ingresses", ingress(undefined)],
  "take what nobody else takes": [
    "ingresses",
    ingress(HOST, {
      more: { defaultBackend: { service: { name: "web", port: { number: 80 } } } },
    }),
  ],
  "show a certificate for another host": [
    "ingresses",
    ingress(HOST, {
      more: { tls: [{ hosts: ["pr-8.preview.example.com"], secretName: "forged" }] },
    }),
  ],
  "write into its rules by a path": ["ingresses", ingress(HOST, { path: "/`)||Host(`pr-8.preview.example.com" })],
  "configure the ingress controller": [
    "ingresses",
    ingress(HOST, {
      annotations: { [`${NGINX}/configuration-snippet`]: "return 200;" },
    }),
  ],
  "have it ask another environment": [
    "ingresses",
    ingress(HOST, {
      annotations: { [`${NGINX}/auth-url`]: "http://web.shop-pr-8.svc/" },
    }),
  ],
};

/** What goes on as ever. */
const ALLOWED: Record<string, KubeObject | string[]> = {
  "make a ConfigMap": object("v1", "ConfigMap"),
  "make a Secret": object("v1", "Secret", { stringData: { a: "b" } }),
  "keep a token of its own": tokenSecret("robot"),
  "have a token of its own": ["create", "token", "robot"],
  "run a Pod": pod("robot"),
  "make a Service": service({}),
  "make an Ingress for its host": ingress(HOST, {
    annotations: { [`${NGINX}/auth-url`]: "https://$host/oauth2/auth", [`${NGINX}/x-forwarded-prefix`]: "/a" },
    more: { tls: [{ hosts: [HOST], secretName: "certificate" }] },
    path: "/a(/|$)(.*)",
  }),
  "make a Role": object(`${RBAC}/v1`, "Role", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }] }),
};

/** @param annotations Of the namespace. That of a preview has no host: whoever writes its Ingress may do so anywhere. */
function environment(namespace: string, annotations = {}): KubeObject[] {
  const [first, ...others] = environmentObjects(namespace);
  const labels = { "maquette.dev/owner-uid": `uid-of-${namespace}` };
  return [
    { ...first!, metadata: { name: namespace, labels, annotations } },
    ...others,
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot", namespace } },
    { ...OPEN, metadata: { name: "ours", namespace } },
    { ...PRINTER, metadata: { name: "ours", namespace } },
  ];
}

/** What a source may bring: the API server lets an admin hand on what it has. */
function binding(): KubeObject {
  return object(`${RBAC}/v1`, "RoleBinding", {
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "admin" },
    subjects: [
      { kind: "ServiceAccount", name: "robot", namespace: SHOP },
      { kind: "ServiceAccount", name: "robot", namespace: OTHER },
      { kind: "Group", apiGroup: RBAC, name: "system:unauthenticated" },
    ],
  });
}

/** In the namespace {@link SHOP}. */
function tried(plane: ControlPlane, what: KubeObject | string[], flags: string[] = []): Promise<KubectlResult> {
  const here = ["-n", SHOP, ...flags];
  if (Array.isArray(what)) return plane.kubectl([...what, ...here], { check: false });
  // Not everybody may read by which schema kubectl would judge.
  const args = ["create", "--validate=false", "-f", "-", ...here];
  return plane.kubectl(args, { stdin: JSON.stringify(what), check: false });
}

async function installed(plane: ControlPlane): Promise<void> {
  const parts = installation({ config: readCommandLine([], {}).config, image: "maquette", replicas: 1 });
  await applied(plane, ["namespace", "crds", "rbac", "boundary"].flatMap((part) => parts.get(part)!));
  await plane.kubectl(["wait", "--for=condition=Established", "--timeout=120s", "crd", "--all"]);
  await applied(plane, [...environment(SHOP, { "maquette.dev/host": HOST }), ...environment(OTHER)]);
  const deployer = ACTORS["the account that deploys"]!;
  await waitFor("the role to be known", async () => (await tried(plane, binding(), deployer)).code === 0);
  const robot = ACTORS["an account of the source"]!;
  await waitFor("the boundary", async () => (await tried(plane, OPEN, [...robot, "--dry-run=server"])).code !== 0);
  await waitFor("the CRDs' rights", async () => {
    const { stderr } = await tried(plane, PRINTER, [...robot, "--dry-run=server"]);
    return stderr.includes("maquette-boundary-kinds");
  });
}

Deno.test("the boundary around environments", async (t) => {
  await using plane = await startControlPlane({ nodes: 1 });
  await installed(plane);

  for (const [who, flags] of Object.entries(ACTORS)) {
    for (const [what, [policy, write]] of Object.entries(REFUSED)) {
      if (STRANGERS.includes(who) && !BY_RIGHT.includes(policy)) continue;
      await t.step(`${who} cannot ${what}`, async () => {
        const { code, stderr } = await tried(plane, write, flags);
        assert.notEqual(code, 0);
        assert.match(
          stderr,
          new RegExp(`ValidatingAdmissionPolicy 'maquette-boundary-${policy}' .*denied request: \\S`),
        );
      });
    }
  }

  await t.step("nor can controllers run a Pod as the account that deploys for them", async () => {
    const labels = { app: "web" };
    const template = { metadata: { labels }, spec: pod(ACCOUNT).spec };
    const spec = { selector: { matchLabels: labels }, template };
    assert.equal(
      (await tried(plane, object("apps/v1", "Deployment", { spec }), ACTORS["an account of the source"])).code,
      0,
    );
    const found = await waitUntil(
      "the Deployment to say so",
      async () => JSON.parse((await tried(plane, ["get", "deployment", "made", "-o", "json"])).stdout),
      ({ status }: KubeObject) => JSON.stringify(status).includes("maquette-boundary-pods"),
    );
    assert.match(JSON.stringify(found.status), /ServiceAccount maquette-deployer is there for Maquette alone/);
    await tried(plane, ["delete", "deployment", "made"]);
  });

  for (const who of ["the account that deploys", "an account of the source"]) {
    for (const [what, write] of Object.entries(ALLOWED)) {
      await t.step(`${who} can ${what}`, async () => {
        const { code, stderr } = await tried(plane, write, ACTORS[who]);
        assert.equal(code, 0, stderr);
        if (!Array.isArray(write)) await tried(plane, ["delete", write.kind, "made", "--wait=false", "--now"]);
        await waitFor("it to be gone", async () => {
          const kinds = [...KINDS, "configmaps", "roles"].join(",");
          return !(await tried(plane, ["get", kinds, "-o", "name"])).stdout.includes("/made");
        });
      });
    }
  }

  await t.step("where no host is known an Ingress may have none", async () => {
    const stdin = JSON.stringify(ingress(undefined));
    const args = ["create", "-n", OTHER, "-f", "-", `--as=system:serviceaccount:${OTHER}:${ACCOUNT}`];
    const { stderr } = await plane.kubectl(args, { stdin, check: false });
    assert.match(stderr, /maquette-boundary-ingresses.*denied request/);
  });

  await t.step("what leads past it is beyond the role admin itself", async () => {
    for (const what of ["create endpoints", "create endpointslices", "patch namespaces", "patch resourcequotas"]) {
      const { stdout } = await tried(plane, ["auth", "can-i", ...what.split(" ")], ACTORS["an account of the source"]);
      assert.equal(stdout.trim(), "no", what);
    }
  });

  await t.step("administrators do as ever, but for Pods and Secrets of the account that deploys", async () => {
    for (const [what, [policy, write]] of Object.entries(REFUSED)) {
      if (/delete|change/.test(what)) continue;
      const { code, stderr } = await tried(plane, write, Array.isArray(write) ? [] : ["--dry-run=server"]);
      if (["pods", "secrets"].includes(policy)) assert.match(stderr, /denied request/, what);
      else assert.equal(code, 0, `${what}: ${stderr}`);
    }
    assert.equal((await tried(plane, ["label", "networkpolicy", "ours", "a=b"])).code, 0);
  });

  await t.step("elsewhere nothing is other than before", async () => {
    await plane.kubectl(["create", "namespace", "elsewhere"]);
    await applied(plane, [{ ...binding(), metadata: { name: "made", namespace: "elsewhere" } }]);
    const stdin = JSON.stringify(OPEN);
    const robot = ACTORS["an account of the source"]!;
    await waitFor(
      "the role to be known",
      async () =>
        (await plane.kubectl(["create", "-n", "elsewhere", "-f", "-", ...robot], { stdin, check: false })).code === 0,
    );
  });

  await t.step("the API server finds nothing wrong with the policies", async () => {
    const { stdout } = await plane.kubectl(["get", "validatingadmissionpolicies", "-o", "json"]);
    for (const { metadata, status } of JSON.parse(stdout).items) {
      assert.equal(status?.observedGeneration, metadata.generation, metadata.name);
      assert.deepEqual(status.typeChecking ?? {}, {}, metadata.name);
    }
  });

  await t.step("a namespace goes with everything in it", async () => {
    await plane.kubectl(["delete", "namespace", SHOP, OTHER, "--timeout=180s"]);
  });
});
