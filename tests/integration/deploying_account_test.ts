/**
 * What an environment's ServiceAccount must not do, and what is said about it, by a real API server.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { CONFIG_MAP } from "../../lib/api/resources.ts";
import { applyChanges } from "../../lib/deploy/apply_changes.ts";
import { Observer } from "../../lib/deploy/observer.ts";
import { Answers, noChanges } from "../../lib/deploy/set_changes.ts";
import { Discovery } from "../../lib/kube/discovery.ts";
import { serviceAccountUser } from "../../lib/kube/impersonation.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { waitFor } from "../wait.ts";
import { ACCOUNT, applied, Deployments, environment, environmentObjects, refused } from "./deployments.ts";

const SHOP = "shop-pr-7";

/** One object, as an account, without the checks before the API server's own: those are not what is tested here. */
async function forced(
  bench: Deployments,
  object: KubeObject,
  account = { namespace: SHOP, name: ACCOUNT },
): Promise<void> {
  const now = (): number => Date.now();
  const kind = await new Discovery({ kube: bench.kube, now }).find(object);
  await applyChanges({ ...noChanges(), create: [{ object, kind }] }, {
    owner: environment(SHOP),
    kube: bench.kube.with({ impersonate: serviceAccountUser(account.namespace, account.name) }),
    observer: new Observer({ watched: [], now }),
    answers: new Answers(),
    account: `${account.namespace}/${account.name}`,
    isNewcomer: false,
  });
}

Deno.test("the account can do what an admin of the namespace can, and the API server says so", async (t) => {
  await using plane = await startControlPlane({ nodes: 1 });
  await using bench = await Deployments.install(plane);
  await applied(plane, [...environmentObjects(SHOP), ...environmentObjects("other")]);
  const rbac = "rbac.authorization.k8s.io/v1";
  const everything = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];

  await t.step("no ClusterRole", async () => {
    const role = { apiVersion: rbac, kind: "ClusterRole", metadata: { name: "all" }, rules: everything };
    await refused(
      forced(bench, role),
      "Forbidden",
      /ClusterRole "all" may not be made by ServiceAccount "shop-pr-7\/maquette-deployer"/,
      /cannot (get|patch) resource "clusterroles"/,
    );
  });

  await t.step("nothing in another namespace", async () => {
    const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c", namespace: "other" }, data: {} };
    await refused(
      forced(bench, config),
      "Forbidden",
      /ConfigMap "other\/c" may not be made/,
      /in the namespace "other"/,
    );
  });

  await t.step("no Role with more than it has itself", async () => {
    const role = { apiVersion: rbac, kind: "Role", metadata: { name: "all", namespace: SHOP }, rules: everything };
    await refused(
      forced(bench, role),
      "Forbidden",
      /Role "shop-pr-7\/all"/,
      /attempting to grant RBAC permissions not currently held/,
    );
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" };
    const subjects = [{ kind: "ServiceAccount", name: "default", namespace: SHOP }];
    const binding = {
      apiVersion: rbac,
      kind: "RoleBinding",
      metadata: { name: "all", namespace: SHOP },
      roleRef,
      subjects,
    };
    await refused(forced(bench, binding), "Forbidden", /RoleBinding "shop-pr-7\/all"/, /not currently held/);
  });

  await t.step("not the quota that the environment lives under", async () => {
    const quota = {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "q", namespace: SHOP },
      spec: { hard: {} },
    };
    await refused(forced(bench, quota), "Forbidden", /ResourceQuota "shop-pr-7\/q"/);
  });

  await t.step("and the operator cannot act as anybody else", async () => {
    const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c", namespace: SHOP }, data: {} };
    const other = { namespace: "kube-system", name: "namespace-controller" };
    await refused(forced(bench, config, other), "ImpersonationForbidden", /Maquette may not act as/);
    const usual = { namespace: SHOP, name: "default" };
    await refused(forced(bench, config, usual), "ImpersonationForbidden", /"shop-pr-7\/default"/);
    await assert.rejects(bench.kube.apply(config, CONFIG_MAP, { manager: "maquette", force: true }), { status: 403 });
  });

  await t.step("a full quota is said as that", async () => {
    const quota = {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "q", namespace: SHOP },
      spec: { hard: { "count/secrets": "0" } },
    };
    await applied(plane, [quota]);
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { a: "1" } };
    // Made before the quota counts, it would never be refused.
    const probe = ["create", "secret", "generic", "probe", "-n", SHOP, "--dry-run=server"];
    await waitFor(
      "the quota to count",
      async () => (await plane.kubectl(probe, { check: false })).stderr.includes("exceeded quota"),
    );
    await refused(
      bench.look(SHOP, [secret]),
      "QuotaExceeded",
      /Secret "shop-pr-7\/s" does not fit/,
      /exceeded quota/,
    );
  });
});
