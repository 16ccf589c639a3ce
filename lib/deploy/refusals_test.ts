import assert from "node:assert/strict";
import { DEPLOYMENT } from "../api/resources.ts";
import { KubeError } from "../kube/errors.ts";
import { Stalled, Waiting } from "../runtime/errors.ts";
import { isImmutable, listRefusal, refusal, united } from "./refusals.ts";
import { RENDERED } from "./fake_deployment.ts";

const WHO = { account: "pr-7/deployer", isNewcomer: false };

/** As the API server 1.36 says it. */
const REFUSALS: Record<
  string,
  { status: number; words: string; becomes: string; says?: RegExp; isNewcomer?: boolean }
> = {
  "the account may not": {
    status: 403,
    words:
      'clusterroles.rbac.authorization.k8s.io "x" is forbidden: User "system:serviceaccount:pr-7:deployer" cannot patch',
    becomes: "Stalled Forbidden",
    says: /^Deployment "shop" may not be made by ServiceAccount "pr-7\/deployer": clusterroles/,
  },
  "the account may not yet": {
    status: 403,
    words: 'configmaps "x" is forbidden: User "system:serviceaccount:pr-7:deployer" cannot patch resource "configmaps"',
    becomes: "Waiting Forbidden",
    isNewcomer: true,
  },
  "the operator may not act as the account": {
    status: 403,
    words: 'serviceaccounts "deployer" is forbidden: User "system:serviceaccount:m:m" cannot impersonate resource',
    becomes: "Stalled ImpersonationForbidden",
    says: /^Maquette may not act as ServiceAccount "pr-7\/deployer"/,
    isNewcomer: true,
  },
  "a full quota": {
    status: 403,
    words: 'persistentvolumeclaims "x" is forbidden: exceeded quota: environment, requested: requests.storage=1Gi',
    becomes: "Stalled QuotaExceeded",
    isNewcomer: true,
  },
  "a namespace that leaves": {
    status: 403,
    words: 'configmaps "x" is forbidden: unable to create new content in namespace pr-7 because it is being terminated',
    becomes: "Waiting NamespaceMissing",
  },
  "a namespace that is not there": {
    status: 404,
    words: 'namespaces "pr-7" not found',
    becomes: "Waiting NamespaceMissing",
  },
  "a kind that just went": {
    status: 404,
    words: "the server could not find the requested resource",
    becomes: "Waiting KindMissing",
  },
  "a Role that a binding is for": {
    status: 404,
    words: 'roles.rbac.authorization.k8s.io "reader" not found',
    becomes: "Stalled Refused",
  },
  "a field that cannot be changed": {
    status: 422,
    words: 'Deployment.apps "shop" is invalid: spec.selector: Invalid value: {}: field is immutable',
    becomes: "Stalled ImmutableField",
    says: /delete the object to have it made anew/,
  },
  "something that is wrong": {
    status: 422,
    words: 'Deployment.apps "shop" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    becomes: "Stalled Refused",
    says: /^Deployment "shop" is refused: .*spec\.replicas/,
  },
  "a field that the kind does not have": {
    status: 500,
    words:
      "failed to create typed patch object (pr-7/shop; apps/v1, Kind=Deployment): .spec.replica: field not declared",
    becomes: "Stalled Refused",
  },
  "a kind that cannot be applied": {
    status: 405,
    words: "the server does not allow this method",
    becomes: "Stalled Refused",
  },
  "a server that fails": { status: 500, words: "etcdserver: request timed out", becomes: "KubeError" },
  "too many requests": { status: 429, words: "Too many requests", becomes: "KubeError" },
  "a conflict": { status: 409, words: "the object has been modified", becomes: "KubeError" },
};

for (const [name, { status, words, becomes, says = /./, isNewcomer = false }] of Object.entries(REFUSALS)) {
  Deno.test(`refusal(): ${name} is ${becomes}`, () => {
    const error = refusal(new KubeError(status, "", words), RENDERED.app, { ...WHO, isNewcomer }) as Error;
    const reason = error instanceof Stalled || error instanceof Waiting ? ` ${error.reason}` : "";
    assert.equal(`${error.name}${reason}`, becomes);
    assert.match(error.message, says);
  });
}

Deno.test("refusal(): a broken connection stays what it is, and endless words are cut", () => {
  const broken = new TypeError("Connection reset by peer");
  assert.equal(refusal(broken, RENDERED.app, WHO), broken);
  const endless = refusal(new KubeError(422, "", "x".repeat(100_000)), RENDERED.app, WHO) as Error;
  assert.ok(endless.message.length < 3_000);
});

const IMMUTABLE: Record<string, string> = {
  "a Job": 'Job.batch "m" is invalid: spec.template: Invalid value: {}: field is immutable',
  "a claim": 'PersistentVolumeClaim "d" is invalid: spec: Forbidden: spec is immutable after creation except resources',
  "a StatefulSet": "spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
  "a binding": 'RoleBinding "b" is invalid: roleRef: Invalid value: {}: cannot change roleRef',
  "a Service": 'Service "s" is invalid: spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set',
  "a Pod":
    'Pod "p" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`',
};

for (const [name, words] of Object.entries(IMMUTABLE)) {
  Deno.test(`isImmutable(): ${name}`, () => assert.equal(isImmutable(new KubeError(422, "Invalid", words)), true));
}

Deno.test("isImmutable(): another problem is not", () => {
  assert.equal(isImmutable(new KubeError(422, "Invalid", "spec.replicas: must be greater than 0")), false);
  assert.equal(isImmutable(new KubeError(403, "Forbidden", "field is immutable")), false);
});

Deno.test("listRefusal() names the kind", () => {
  const error = listRefusal(new KubeError(403, "Forbidden", "no"), DEPLOYMENT, WHO) as Error;
  assert.equal(
    error.message,
    'Objects of kind "Deployment" of "apps" may not be listed by ServiceAccount "pr-7/deployer": no',
  );
  assert.ok(listRefusal(new KubeError(403, "", "no"), DEPLOYMENT, { ...WHO, isNewcomer: true }) instanceof Waiting);
  assert.ok(listRefusal(new KubeError(500, "", "no"), DEPLOYMENT, WHO) instanceof KubeError);
});

Deno.test("united() says all that people must act on, else what another try may mend, else what is waited for", () => {
  const [stalled, other, waiting] = [
    new Stalled("Refused", "a"),
    new KubeError(500, "", "b"),
    new Waiting("W", "c", 1),
  ];
  assert.equal(united([waiting, other, stalled]), stalled);
  assert.equal(united([waiting, other]), other);
  assert.equal(united([waiting]), waiting);
  const many = Array.from({ length: 12 }, (_, index) => new Stalled("Refused", String(index)));
  assert.equal((united(many) as Error).message, "0; 1; 2; 3; 4; 5; 6; 7; 8; 9; and 2 more");
});
