/**
 * The fence that the API server holds around the leader: two Pods of the operator's, and what the API server lets each
 * of them write. Requests are made with their tokens, as a process would make them that woke up too late.
 */
import assert from "node:assert/strict";
import { LABEL_OWNER_UID } from "../../lib/api/names.ts";
import { apiVersionOf, type KubeObject, type Resource } from "../../lib/api/object.ts";
import { PREVIEW_ENVIRONMENT } from "../../lib/api/preview_environment.ts";
import {
  CONFIG_MAP,
  DEPLOYMENT,
  LEASE,
  NAMESPACE as NAMESPACES,
  SECRET,
  VALIDATING_WEBHOOKS,
} from "../../lib/api/resources.ts";
import { KubeClient } from "../../lib/kube/client.ts";
import { kubeconfigCredentials } from "../../lib/kube/credentials.ts";
import { isFenced } from "../../lib/kube/errors.ts";
import { EventRecorder } from "../../lib/kube/events.ts";
import type { Target } from "../../lib/kube/paths.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install, type Installed, NAMESPACE } from "../installed.ts";
import { podKubeconfig } from "../installed_pod.ts";
import { waitFor } from "../wait.ts";
import { preview, Terminal } from "./previews.ts";

const OWNERS = PREVIEW_ENVIRONMENT.resource;
const OWNER = { namespace: "default", name: "pr-7" };
const CHILD = { namespace: "preview-pr-7", name: "late" };
/** One is called as the other one begins. */
const PODS = ["maquette-a", "maquette-a-b"] as const;
const FORCE = { manager: "test", force: true };

type Write = (kube: KubeClient) => Promise<unknown>;

const OF_THE_LEADER: Record<string, Write> = {
  "create a child": (kube) => kube.create(marked(NAMESPACES, { name: "late" }), NAMESPACES, "test"),
  "apply a child": applyChild,
  "delete a child": (kube) => kube.remove(DEPLOYMENT, { namespace: CHILD.namespace, name: "pr-7-app" }, {}),
  "change an owner": (kube) => kube.patch(OWNERS, OWNER, [{ op: "add", path: "/metadata/labels", value: {} }]),
  "say how an owner is": (kube) =>
    kube.apply({ ...marked(OWNERS, OWNER), status: { phase: "Failed" } }, OWNERS, { ...FORCE, subresource: "status" }),
  "delete an owner": (kube) => kube.remove(OWNERS, OWNER, {}),
};
const OF_ANY_REPLICA: Record<string, Write> = {
  "the lease": (kube) => writeAgain(kube, LEASE, "maquette"),
  "the certificate of admission": (kube) => writeAgain(kube, SECRET, "maquette-webhook-certificates"),
  "whom the API server trusts for admission": (kube) =>
    kube.patch(VALIDATING_WEBHOOKS, { name: "maquette" }, [{ op: "test", path: "/metadata/name", value: "maquette" }]),
  "an Event": tell,
};

Deno.test("the fence around the leader", async (t) => {
  await using plane = await startControlPlane();
  await using first = await install(plane, { flags: ["--tls=none"], webhook: true, pod: PODS[0] });
  await using second = first.another(PODS[1]);
  await second.start();
  const terminal = new Terminal(plane);
  const unbound = await client(await plane.createServiceAccountKubeconfig(NAMESPACE, "maquette"));
  const [one, two] = await Promise.all(
    PODS.map(async (name) => await client(await podKubeconfig(plane, { namespace: NAMESPACE, name }))),
  ) as [KubeClient, KubeClient];

  await t.step("what the leader makes passes it, at once", async () => {
    await terminal.create(preview(7));
    await terminal.untilPhase("pr-7", "Ready");
    await applyChild(one);
    for (const replica of [first, second]) assert.equal(await refusals(replica), 0);
  });
  for (const [sentence, write] of Object.entries(OF_THE_LEADER)) {
    await t.step(`a Pod that does not lead cannot ${sentence}`, () => assert.rejects(write(two), isFenced));
  }
  for (const [sentence, write] of Object.entries(OF_ANY_REPLICA)) {
    await t.step(`a Pod that does not lead writes ${sentence}`, async () => void await write(two));
  }
  await t.step("a token that is bound to no Pod passes", async () => void await applyChild(unbound));

  await t.step("it follows the lease, and what the next leader makes passes it", async () => {
    assert.equal(await first.stop(), 0);
    await waitFor("the other replica to lead", async () => await second.metric("maquette_leader") === 1);
    // Admission is asked for there.
    await first.start();
    await terminal.create(preview(8));
    await terminal.untilPhase("pr-8", "Ready");
    await assert.rejects(applyChild(one), isFenced);
    await applyChild(two);
  });
  await t.step("taken away it is open; installed anew it goes by who leads by then", async () => {
    await plane.kubectl(["delete", "validatingadmissionpolicies,validatingadmissionpolicybindings", "--all"]);
    await waitFor("the fence to open", () => applyChild(one).then(() => true, () => false));
    assert.equal(await second.stop(), 0);
    await waitFor("the first replica to lead", async () => await first.metric("maquette_leader") === 1);
    await first.reinstall();
    await waitFor("the fence to close", () => applyChild(two).then(() => false, isFenced));
    await applyChild(one);
    await plane.kubectl(["delete", "prenv", "--all", "--timeout=180s"]);
  });
  for (const kube of [one, two, unbound]) kube.close();
});

async function client(kubeconfig: string): Promise<KubeClient> {
  return new KubeClient(await kubeconfigCredentials(kubeconfig));
}

function applyChild(kube: KubeClient): Promise<unknown> {
  return kube.apply(marked(CONFIG_MAP, CHILD), CONFIG_MAP, FORCE);
}

/** An object of ours, by the mark of an owner. */
function marked(resource: Resource, target: Target): KubeObject {
  const metadata = { ...target, labels: { [LABEL_OWNER_UID]: "test" } } as KubeObject["metadata"];
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata };
}

/** Replaces an object by itself; once more, where somebody else was faster. */
async function writeAgain(kube: KubeClient, resource: Resource, name: string): Promise<void> {
  const write = async (): Promise<unknown> =>
    await kube.replace(await kube.get(resource, { namespace: NAMESPACE, name }), resource, "test");
  await waitFor(`${name} to be written`, write);
}

async function tell(kube: KubeClient): Promise<void> {
  const lost: unknown[] = [];
  const recorder = new EventRecorder({
    kube,
    now: () => Date.now(),
    unique: () => crypto.randomUUID().slice(0, 13),
    instance: "test",
    onLost: (error) => void lost.push(error),
  });
  recorder.record(await kube.get(OWNERS, OWNER), { type: "Normal", reason: "Late", note: "Too late" });
  await recorder.flush();
  assert.deepEqual(lost, []);
}

/** How many requests of a process the API server has refused with 403. */
function refusals(replica: Installed): Promise<number> {
  return replica.metric("maquette_api_requests_total", { code: "403" });
}
