import assert from "node:assert/strict";
import { CONFIG_MAP } from "../api/resources.ts";
import { KubeClient } from "./client.ts";
import { KubeError } from "./errors.ts";
import { mayNotImpersonate, serviceAccountUser } from "./impersonation.ts";

Deno.test("with({ impersonate }) sends the user and nothing else, and the client it was made from does not", async () => {
  const sent: (string | null)[][] = [];
  const send = (_input: unknown, init?: RequestInit): Promise<Response> => {
    const headers = new Headers(init?.headers);
    sent.push([headers.get("impersonate-user"), headers.get("impersonate-group")]);
    return Promise.resolve(Response.json({ kind: "ConfigMap", metadata: {} }));
  };
  const kube = new KubeClient({ server: "http://scripted.invalid" }, { fetch: send as typeof fetch });
  await kube.with({ impersonate: serviceAccountUser("shop-pr-7", "deployer") }).get(CONFIG_MAP, { name: "a" });
  await kube.get(CONFIG_MAP, { name: "a" });
  kube.close();
  assert.deepEqual(sent, [["system:serviceaccount:shop-pr-7:deployer", null], [null, null]]);
});

const OPERATOR = 'User "system:serviceaccount:maquette-system:maquette"';
const REFUSALS: Record<string, { status: number; message: string; isOurs: boolean }> = {
  "the operator may not act as the account": {
    status: 403,
    message: `serviceaccounts "deployer" is forbidden: ${OPERATOR} cannot impersonate resource "serviceaccounts"`,
    isOurs: true,
  },
  "the same in the words of a server with constrained impersonation": {
    status: 403,
    message:
      `configmaps "a" is forbidden: ${OPERATOR} cannot impersonate-on:serviceaccount:patch resource "configmaps"`,
    isOurs: true,
  },
  "the account may not create": {
    status: 403,
    message: 'configmaps "a" is forbidden: User "x" cannot patch resource "configmaps"',
    isOurs: false,
  },
  "the words in another refusal": { status: 422, message: "cannot impersonate", isOurs: false },
};

for (const [name, { status, message, isOurs }] of Object.entries(REFUSALS)) {
  Deno.test(`mayNotImpersonate(): ${name}`, () => {
    assert.equal(mayNotImpersonate(new KubeError(status, "Forbidden", message)), isOurs);
  });
}
