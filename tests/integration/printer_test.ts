/** What Printers print, through kubectl: a real API server and Job controller, simulated Pods. */
import assert from "node:assert/strict";
import { TimedProbe, waitUntil } from "../wait.ts";
import { condition } from "./previews.ts";
import { NAMESPACE, printer, PrinterLab } from "./printers.ts";

const TEXTS: Record<string, string> = {
  "quotes": `it's "quoted" \\"twice\\"`,
  "substitutions": "$(id) `id` ${HOME} $(KUBERNETES_SERVICE_HOST) $$(X) $$$ $é $",
  "newlines": "one\ntwo\r\n\tthree\n",
  "emoji": "🖨️ 👩‍👩‍👧 ü",
  "conversions": "%s %d %% \\n \\x41",
  "option": "-n",
  "empty": "",
};

Deno.test("Printers print", async (t) => {
  await using lab = await PrinterLab.open();
  await lab.create(printer("early"), printer("given-up", { mode: "Job", image: "busybox:crash" }));
  await lab.start();

  await t.step("one that existed before the operator started is printed", async () => {
    const owner = await lab.untilPhase("early", "Completed");
    const { podName, exitCode, output, inventory, history } = owner.status;
    assert.deepEqual({ podName, exitCode, output }, { podName: "early", exitCode: 0, output: "Hello" });
    assert.deepEqual(inventory, [{ kind: "Pod", name: "early", namespace: NAMESPACE }]);
    assert.equal(history[0].outcome, "Completed");
    await lab.plane.kubectl(["wait", "--for=condition=Ready", "prt/early", "-n", NAMESPACE, "--timeout=60s"]);
    assert.ok(lab.events.includes("early Normal Printed"), String(lab.events));
  });

  for (const [what, text] of Object.entries(TEXTS)) {
    await t.step(`a text with ${what} is printed as it stands`, async () => {
      await lab.create(printer(what, { textToPrint: text }));
      assert.equal((await lab.untilPhase(what, "Completed")).status.output, text);
    });
  }

  await t.step("64 KiB of dollars are printed, and the status shows the first KiB", async () => {
    await lab.create(printer("dollars", { textToPrint: "$".repeat(65_536) }));
    assert.equal((await lab.untilPhase("dollars", "Completed")).status.output, "$".repeat(1024));
    const { stdout } = await lab.plane.kubectl(["logs", "dollars", "-n", NAMESPACE]);
    assert.equal(stdout, `${"$".repeat(65_536)}\n`);
  });

  await t.step("a name as long as the API allows gives a Pod or a Job", async () => {
    const names = { Pod: `${"p".repeat(250)}.x`, Job: `${"j".repeat(250)}.x` };
    await lab.create(...Object.entries(names).map(([mode, name]) => printer(name, { mode })));
    for (const name of Object.values(names)) await lab.untilPhase(name, "Completed");
  });

  await t.step("the Pod is owned by its Printer and carries the labels of a child", async () => {
    const [owner, pod] = [await lab.get("prt", "early"), await lab.get("pod", "early")];
    assert.equal(pod?.metadata.ownerReferences?.[0]?.uid, owner?.metadata.uid);
    assert.equal(pod?.metadata.labels?.["maquette.dev/owner-uid"], owner?.metadata.uid);
    assert.equal(pod?.metadata.annotations?.["maquette.dev/owner"], `Printer.cadumillani.com.br/${NAMESPACE}/early`);
  });

  await t.step("kubectl get tells mode, phase, Pod and exit code", async () => {
    const { stdout } = await lab.plane.kubectl(["get", "prt", "early", "-n", NAMESPACE]);
    assert.match(stdout, /NAME +MODE +PHASE +POD +EXIT +AGE\nearly +Pod +Completed +early +0 /);
  });

  await t.step("a changed text replaces the Pod", async () => {
    const before = await lab.uidOf("pod", "early");
    await lab.patch("early", { textToPrint: "Bye" });
    const owner = await lab.until(["prt", "early"], "to print anew", ({ status }) => status.output === "Bye");
    assert.equal(owner.status.phase, "Completed");
    assert.notEqual(await lab.uidOf("pod", "early"), before);
  });

  await t.step("a changed mode replaces the Pod by a Job, and back", async () => {
    await lab.patch("early", { mode: "Job" });
    const owner = await lab.untilPhase("early", "Completed");
    assert.match(owner.status.podName, /^early-.+/);
    assert.equal(owner.status.output, "Bye");
    assert.equal(await lab.get("pod", "early"), undefined);
    await lab.patch("early", { mode: "Pod" });
    assert.equal((await lab.untilPhase("early", "Completed")).status.podName, "early");
    assert.equal(await lab.get("job", "early"), undefined);
  });

  await t.step("a Job is Completed with the name and output of its Pod", async () => {
    await lab.create(printer("job", { mode: "Job", textToPrint: "from a Job" }));
    const owner = await lab.untilPhase("job", "Completed");
    assert.match(owner.status.podName, /^job-.+/);
    assert.equal(owner.status.output, "from a Job");
    assert.deepEqual(owner.status.inventory, [{ kind: "Job", name: "job", namespace: NAMESPACE }]);
  });

  const TTLS: [name: string, mode: string, ttl: number][] = [
    ["a Pod that is not kept", "Pod", 0],
    ["a Pod", "Pod", 2],
    ["a Job", "Job", 2],
  ];
  for (const [what, mode, ttl] of TTLS) {
    await t.step(`${what} is removed ${ttl} s after it finished, the Printer and its status stay`, async () => {
      const [name, mark] = [what.toLowerCase().replaceAll(" ", "-"), await lab.mark()];
      await lab.create(printer(name, { mode, ttlSecondsAfterFinished: ttl }));
      const probe = new TimedProbe(() => lab.get("prt", name));
      const owner = (await waitUntil(
        `${name} to have no child`,
        () => probe.ask(),
        (found) => !!found?.status?.finishedAt && found.status.inventory.length === 0,
        60_000,
      ))!;
      assert.deepEqual([owner.status.phase, owner.status.output], ["Completed", "Hello"]);
      await lab.terminal.untilGone("pod", owner.status.podName, NAMESPACE);
      const deletions = (await lab.requestsSince(mark)).filter(({ verb }) => verb === "delete");
      assert.equal(deletions.length, 1);
      const seconds = (deletions[0]!.at - Date.parse(owner.status.finishedAt)) / 1000;
      assert.ok(seconds >= ttl && seconds < ttl + 2 + probe.slowestMs / 1000, `It was removed after ${seconds} s`);
    });
  }

  await t.step("a Job that fails again and again has given up", async () => {
    const owner = await lab.untilPhase("given-up", "Failed");
    assert.match(condition(owner, "Stalled")!.message, /^Job "team\/given-up" gave up: .*backoff.*exited with code 3/s);
    assert.equal(owner.status.exitCode, 3);
  });

  await t.step("each log was read once", async () => {
    const logs = (await lab.requestsSince(0)).filter(({ uri }) => uri.includes("/log?"));
    const reads = new Set(logs.map(({ uri, at }) => `${/\/pods\/([^/]+)\/log/.exec(uri)![1]} ${at}`));
    const names = [...reads].map((read) => read.split(" ")[0]!).filter((name) => name in TEXTS || name === "dollars");
    assert.deepEqual(names.sort(), [...Object.keys(TEXTS), "dollars"].sort());
  });
});
