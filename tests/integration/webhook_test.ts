/**
 * Admission as people at a terminal meet it: a real API server asks the webhook of a running operator.
 */
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/api/object.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";
import { waitFor } from "../wait.ts";
import { preview, Terminal } from "./previews.ts";

const SECRET = "maquette-webhook-certificates";
const EXTEND = "maquette.dev/extend-until";

function printer(spec: Record<string, unknown> = {}, name = "hello"): KubeObject {
  return {
    apiVersion: "cadumillani.com.br/v1",
    kind: "Printer",
    metadata: { name, namespace: "default" },
    spec: { textToPrint: "Hello", ...spec },
  };
}

Deno.test("admission through kubectl", async (t) => {
  await using plane = await startControlPlane();
  const flags = ["--tls=none", "--reserved-namespaces=prod*", "--denied-registries=evil.test"];
  await using operator = await install(plane, { flags });
  const terminal = new Terminal(plane);

  await t.step("TTL and finalizer are filled in, and applying again changes nothing", async () => {
    const object = preview(1, { ttl_seconds: undefined });
    await terminal.apply(object);
    const stored = await terminal.get("prenv", "pr-1");
    assert.equal(stored?.spec.ttl_seconds, 86_400);
    assert.ok(stored?.metadata.finalizers?.includes("maquette.dev/cleanup"));
    assert.match(await terminal.apply(object), /unchanged/);
    assert.equal((await terminal.get("prenv", "pr-1"))?.metadata.generation, stored?.metadata.generation);
  });

  await t.step("server-side apply comes to rest too", async () => {
    const stdin = JSON.stringify(preview(2, { ttl_seconds: undefined }));
    const generations: (number | undefined)[] = [];
    for (let round = 0; round < 3; round++) {
      await plane.kubectl(["apply", "--server-side", "-f", "-"], { stdin });
      generations.push((await terminal.get("prenv", "pr-2"))?.metadata.generation);
    }
    assert.deepEqual(generations, [1, 1, 1]);
    assert.equal((await terminal.get("prenv", "pr-2"))?.spec.ttl_seconds, 86_400);
  });

  await t.step("a TTL over the maximum is capped with a warning", async () => {
    const said = await terminal.apply(preview(3, { ttl_seconds: 1_000_000 }));
    assert.match(said, /Warning: spec.ttl_seconds: 1000000 is over the maximum, 604800 is used instead/);
    assert.equal((await terminal.get("prenv", "pr-3"))?.spec.ttl_seconds, 604_800);
  });

  await t.step("what is unwise is told once", async () => {
    const said = await terminal.apply(preview(4, { image_tag: "main", port: 80 }));
    assert.equal(said.match(/Warning:/g)?.length, 2, said);
    assert.match(said, /Warning: spec.image: Tag "main"/);
    assert.match(said, /Warning: spec.port: /);
  });

  await t.step("all problems come in one answer: those of schema, names, images and annotations", async () => {
    const annotations = { [EXTEND]: "tomorrow" };
    const object = preview(5, { branch_name: "", image: "evil.test/x", namespace: "prod-eu", port: 0 }, {
      annotations,
    });
    const said = await terminal.refusal(object);
    assert.match(said, /The PreviewEnvironment "pr-5" is invalid/);
    for (const field of ["spec.branch_name", "spec.image", "spec.namespace", "spec.port"]) {
      assert.ok(said.includes(`${field}: `), said);
    }
    assert.ok(said.includes(`metadata.annotations[${EXTEND}]: Must be a time`), said);
  });

  const refusals: Record<string, { object: KubeObject; says: RegExp }> = {
    "a namespace over 63 characters": {
      object: preview(6, { namespace: "n".repeat(64) }),
      says: /spec.namespace: .*63/,
    },
    "the operator's namespace": {
      object: preview(6, { namespace: "maquette-system" }),
      says: /spec.namespace: Namespace "maquette-system" is reserved/,
    },
    "the tag latest": { object: preview(6, { image_tag: "latest" }), says: /spec.image: .*latest/ },
    "a denied registry": { object: preview(6, { image: "evil.test/x" }), says: /spec.image: .*denied/ },
    "a Printer with a bad image": {
      object: printer({ image: "Busybox:1" }),
      says: /The Printer "hello".*spec.image: /s,
    },
    "a Printer with an untagged image": { object: printer({ image: "busybox" }), says: /spec.image: .*latest/ },
  };
  for (const [sentence, { object, says }] of Object.entries(refusals)) {
    await t.step(`${sentence} is refused`, async () => assert.match(await terminal.refusal(object), says));
  }

  await t.step("a second object for one namespace is refused, naming the first", async () => {
    const said = await terminal.refusal(preview(1, {}, { name: "second" }));
    assert.match(said, /spec.pr_number: Namespace "preview-pr-1" belongs .*"default\/pr-1"/);
  });

  await t.step("immutable fields are named", async () => {
    await assert.rejects(terminal.patch("prenv", "pr-1", { spec: { pr_number: 9 } }), /spec.pr_number: .*immutable/);
  });

  await t.step("a long repository gives a hashed namespace", async () => {
    const repository = "acme/a-very-long-repository-name-that-makes-the-namespace-too-long";
    await terminal.create(preview(7, { repository }));
    const ready = await terminal.untilPhase("pr-7", "Ready");
    assert.match(ready.status.namespace, /^preview-acme-a-very-long-.{27,38}-[0-9a-f]{5}$/);
    assert.ok(ready.status.namespace.length <= 63);
  });

  await t.step("a caBundle that is damaged is put right in both configurations", async () => {
    for (const kind of ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"]) {
      const bundle = async (): Promise<string> =>
        (await terminal.get(kind, "maquette"))!.webhooks[0].clientConfig.caBundle;
      const before = await bundle();
      for (const value of ["", btoa("junk")]) {
        const patch = [{ op: "add", path: "/webhooks/0/clientConfig/caBundle", value }];
        await plane.kubectl(["patch", kind, "maquette", "--type=json", "-p", JSON.stringify(patch)]);
        await waitFor(`the CA in the ${kind}`, async () => await bundle() === before);
      }
    }
    await terminal.apply(printer({}, "after-bundle"));
  });

  await t.step("a Secret that is deleted is made anew, with other keys and no refusal in between", async () => {
    const before = await terminal.get("secret", SECRET, "maquette-system");
    await terminal.remove("secret", SECRET, "maquette-system");
    let written = 0;
    const refusals: string[] = [];
    await waitFor("another certificate", async () => {
      await terminal.apply(printer({ textToPrint: `Text ${written++}` }, "meanwhile")).catch((error) => {
        refusals.push(String(error));
      });
      const after = await terminal.get("secret", SECRET, "maquette-system");
      const isNew = (key: string): boolean => after !== undefined && after.data[key] !== before!.data[key];
      return isNew("tls.crt") && isNew("ca.key");
    }, 60_000);
    assert.deepEqual(refusals, []);
    await terminal.apply(printer({}, "afterwards"));
  });

  await t.step("while no webhook answers nothing is created, and what is on its way out still goes", async () => {
    await terminal.create(preview(8));
    await terminal.untilPhase("pr-8", "Ready");
    assert.equal(await operator.stop(), 0);
    assert.match(await terminal.refusal(preview(9)), /failed calling webhook/);
    await terminal.remove("prenv", "pr-8", "default", "--wait=false");
    await terminal.patch("prenv", "pr-8", { metadata: { finalizers: null } });
    await terminal.untilGone("prenv", "pr-8");
    await operator.start();
    await terminal.create(preview(9));
    await terminal.untilPhase("pr-9", "Ready");
  });
});
