import assert from "node:assert/strict";
import type { Resource } from "../api/object.ts";
import { DEPLOYMENT, NAMESPACE, SERVICE } from "../api/resources.ts";
import { objectPath, type Target } from "./paths.ts";

const paths: Record<string, [resource: Resource, target: Target, expected: string]> = {
  "a core object": [SERVICE, { namespace: "a", name: "b" }, "/api/v1/namespaces/a/services/b"],
  "a core collection in a namespace": [SERVICE, { namespace: "a" }, "/api/v1/namespaces/a/services"],
  "a core collection in all namespaces": [SERVICE, {}, "/api/v1/services"],
  "an object of a group": [DEPLOYMENT, { namespace: "a", name: "b" }, "/apis/apps/v1/namespaces/a/deployments/b"],
  "a subresource": [
    DEPLOYMENT,
    { namespace: "a", name: "b", subresource: "status" },
    "/apis/apps/v1/namespaces/a/deployments/b/status",
  ],
  "a cluster-scoped object": [NAMESPACE, { name: "a" }, "/api/v1/namespaces/a"],
  "a namespace that means nothing to a cluster-scoped object": [
    NAMESPACE,
    { namespace: "x", name: "a" },
    "/api/v1/namespaces/a",
  ],
  "names that would leave their place": [
    SERVICE,
    { namespace: "../kube-system", name: "a?b/c" },
    "/api/v1/namespaces/..%2Fkube-system/services/a%3Fb%2Fc",
  ],
};

for (const [name, [resource, target, expected]] of Object.entries(paths)) {
  Deno.test(`objectPath(): ${name}`, () => assert.equal(objectPath(resource, target), expected));
}
