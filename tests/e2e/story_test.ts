/**
 * The life of a preview on a real node: what answers at its URL, by way of the ingress controller, at every step.
 */
import assert from "node:assert/strict";
import { statusRules } from "../../lib/runtime/status_rules.ts";
import { condition } from "../integration/previews.ts";
import { waitFor } from "../wait.ts";
import { Answers } from "./answers.ts";
import { Cluster, DOMAIN, webPreview } from "./cluster.ts";
import { BUSYBOX } from "./images.ts";
import { isEndToEnd } from "./settings.ts";
import { Transcript } from "./transcript.ts";

const URL_OF_7 = `http://pr-7.${DOMAIN}/`;
const URL_OF_8 = `http://pr-8.${DOMAIN}/`;

Deno.test({ name: "a preview on a real node", ignore: !isEndToEnd }, async (t) => {
  await using cluster = await Cluster.prepare();
  const { terminal, plane } = cluster;
  const transcript = new Transcript();
  transcript.section("A preview, from its birth to its end");

  await t.step("becomes Ready and answers at its URL", async () => {
    await terminal.apply(webPreview(7, "v1"));
    await plane.kubectl(["wait", "--for=condition=Ready", "prenv/pr-7", "--timeout=300s"]);
    const owner = (await terminal.get("prenv", "pr-7"))!;
    assert.deepEqual(statusRules(owner), []);
    assert.equal(`${owner.status.url}/`, URL_OF_7);
    const answer = await cluster.untilAnswers(URL_OF_7, ({ status }) => status === 200);
    assert.match(answer.text, /^web v1 on pr-7-app-/);
    transcript.quote("kubectl get prenv pr-7", (await plane.kubectl(["get", "prenv", "pr-7"])).stdout);
    transcript.quote(`GET ${URL_OF_7}`, `${answer.status} ${answer.text}`);
  });

  await t.step("answers with the new version after a new tag, and without a gap", async () => {
    await using answers = new Answers(cluster, URL_OF_7);
    await terminal.patch("prenv", "pr-7", { spec: { image_tag: "v2" } });
    await plane.kubectl(["wait", "--for=condition=Ready", "prenv/pr-7", "--timeout=300s"]);
    const answer = await cluster.untilAnswers(URL_OF_7, ({ text }) => text.startsWith("web v2"));
    const failures = await answers.failures();
    transcript.quote(`GET ${URL_OF_7} after image_tag: v2`, `${answer.status} ${answer.text}`);
    transcript.say(`${answers.count} requests during the rollout, not answered with 200: ${failures.length}`);
    assert.deepEqual(failures, []);
  });

  await t.step("keeps answering with the old version when an image crashes, and says why", async () => {
    await terminal.patch("prenv", "pr-7", { spec: { image_tag: "crash" } });
    await terminal.untilPhase("pr-7", "Failed", 180_000);
    // The kubelet has no log of a container yet that it has just begun anew.
    const message = await waitFor("all of the reason", async () => {
      const { status, message } = condition(await terminal.get("prenv", "pr-7"), "Ready")!;
      assert.equal(status, "False");
      assert.match(message, /exited with code 1/);
      assert.match(message, /panic: cannot open "\/etc\/shop\/config\.yaml"/);
      assert.match(message, /the version before keeps serving/);
      return message;
    }, 60_000);
    const answer = await cluster.ask(URL_OF_7);
    assert.match(answer.text, /^web v2/);
    transcript.quote(
      "kubectl get prenv pr-7 after image_tag: crash",
      (await plane.kubectl(["get", "prenv", "pr-7"])).stdout,
    );
    transcript.quote("condition Ready", message);
    transcript.quote(`GET ${URL_OF_7}`, `${answer.status} ${answer.text}`);
  });

  await t.step("keeps answering when an image does not exist, and says so", async () => {
    await terminal.patch("prenv", "pr-7", { spec: { image_tag: "missing" } });
    const owner = await terminal.untilPhase("pr-7", "Failed", 180_000);
    const { message } = condition(owner, "Ready")!;
    assert.match(message, /cannot pull image "maquette-e2e-web:missing"/);
    const answer = await cluster.ask(URL_OF_7);
    assert.match(answer.text, /^web v2/);
    transcript.quote("condition Ready after image_tag: missing", message);
    transcript.quote(`GET ${URL_OF_7}`, `${answer.status} ${answer.text}`);
  });

  await t.step("recovers with a good tag", async () => {
    await terminal.patch("prenv", "pr-7", { spec: { image_tag: "v1" } });
    await terminal.untilPhase("pr-7", "Ready", 120_000);
    await cluster.untilAnswers(URL_OF_7, ({ text }) => text.startsWith("web v1"));
  });

  await t.step("is gone after its time, with everything that belonged to it", async () => {
    await terminal.apply(webPreview(8, "v1", { ttl_seconds: 60 }));
    await terminal.untilPhase("pr-8", "Ready", 60_000);
    const expiresAt = Date.parse((await terminal.get("prenv", "pr-8"))!.status.expiresAt);
    await terminal.untilGone("prenv", "pr-8", "default", 120_000);
    const late = Date.now() - expiresAt;
    await nothingLeft(cluster, 8);
    const answer = await cluster.untilAnswers(URL_OF_8, ({ status }) => status === 404);
    assert.ok((await terminal.eventReasons("pr-8")).includes("Expired"));
    transcript.say(
      `TTL of 60 s: seen gone, Pods and namespace included, ${(late / 1000).toFixed(1)} s after expiresAt`,
    );
    transcript.quote(`GET ${URL_OF_8} after its time`, `${answer.status} ${answer.text}`);
  });

  await t.step("is gone after its deletion, with everything that belonged to it", async () => {
    await terminal.remove("prenv", "pr-7", "default", "--timeout=300s");
    await nothingLeft(cluster, 7);
    const answer = await cluster.untilAnswers(URL_OF_7, ({ status }) => status === 404);
    transcript.quote(`GET ${URL_OF_7} after kubectl delete`, `${answer.status} ${answer.text}`);
  });

  await t.step("a Printer's text is what its container printed", async () => {
    const textToPrint = "quotes \" ' $(id) `id` 🖨";
    const printer = { apiVersion: "cadumillani.com.br/v1", kind: "Printer", metadata: { name: "hello" } };
    await terminal.apply({
      ...printer,
      metadata: { ...printer.metadata, namespace: "default" },
      spec: { textToPrint, image: BUSYBOX },
    });
    const done = await waitFor("the Printer to be done", async () => {
      const found = await terminal.get("prt", "hello");
      return found?.status?.phase === "Completed" && found;
    }, 90_000);
    assert.equal(done.status.output.trimEnd(), textToPrint);
    transcript.quote("kubectl get prt hello -o jsonpath={.status.output}", done.status.output);
  });
});

async function nothingLeft({ terminal }: Cluster, pr: number): Promise<void> {
  assert.equal(await terminal.get("namespace", `preview-pr-${pr}`), undefined);
  const left = await terminal.list(
    "deployments,services,ingresses,networkpolicies,pods,secrets",
    "--all-namespaces",
    "-l",
    "app.kubernetes.io/managed-by=maquette",
  );
  assert.deepEqual(left.filter(({ metadata }) => metadata.namespace === `preview-pr-${pr}`), []);
}
