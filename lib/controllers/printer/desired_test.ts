import assert from "node:assert/strict";
import { childOf, printer, SETTINGS } from "../../../tests/fixtures/printing.ts";
import { MAX_TEXT_BYTES } from "../../api/printer.ts";
import { childName, desiredChild, desiredMarks, printCommand, requestDigest, TEMPLATE_LABEL } from "./desired.ts";

/** What a shell, the kubelet or printf would make something else of. */
const TEXTS: Record<string, string> = {
  "nothing": "",
  "quotes": `it's "quoted" and \\"escaped\\"`,
  "a command substitution": "$(id)",
  "back-ticks": "`id`",
  "a variable of the kubelet's": "$(KUBERNETES_SERVICE_HOST)",
  "an escaped variable": "$$(KUBERNETES_SERVICE_HOST)",
  "three dollars before a bracket": "$$$(X)",
  "a dollar before a letter that is not ASCII": "5 $é",
  "a dollar at the end": "100$",
  "an open bracket": "$(",
  "JavaScript's own patterns of replacement": "$& $1 $` $'",
  "newlines": "one\ntwo\r\n\n",
  "emoji": "🖨️ 👩‍👩‍👧 ü",
  "conversions": "%s %d %% %n",
  "backslashes": "\\n \\x41 \\c \\0",
  "an option of echo": "-n",
  "another option of echo": "-e \\t",
  "an option of printf": "--help",
  "the end of options": "--",
  "control characters": "\u0001\u001b[31m\u007f",
  "a lone dash": "-",
};

for (const [what, text] of Object.entries(TEXTS)) {
  Deno.test(`printCommand() prints ${what} as it stands`, () => {
    assert.equal(printed(printCommand(text)), `${text}\n`);
  });
}

Deno.test("printCommand() keeps a text of dollars within one argument, as the kubelet hands it on", () => {
  const text = "$".repeat(MAX_TEXT_BYTES);
  assert.equal(kubeletExpand(printCommand(text)[2]!).length, MAX_TEXT_BYTES);
  assert.ok(MAX_TEXT_BYTES + 1 < 131_072, "Linux's limit of one argument, the NUL at its end included");
});

Deno.test("desiredChild() hands the text to no shell", () => {
  const [container] = desiredChild(printer({ textToPrint: "$(id)" }), SETTINGS).spec.containers;
  assert.deepEqual(container.command, ["printf", "%s\\n", "$$(id)"]);
  assert.equal(container.args, undefined);
});

Deno.test("desiredChild() keeps to the Pod security standard restricted", () => {
  for (const mode of ["Pod", "Job"] as const) {
    const { spec } = desiredChild(printer({ mode }), SETTINGS);
    const pod = mode === "Job" ? spec.template.spec : spec;
    const [container] = pod.containers;
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.notEqual(pod.securityContext.runAsUser, 0);
    assert.deepEqual(pod.securityContext.seccompProfile, { type: "RuntimeDefault" });
    assert.equal(container.securityContext.allowPrivilegeEscalation, false);
    assert.deepEqual(container.securityContext.capabilities, { drop: ["ALL"] });
    assert.equal(pod.automountServiceAccountToken, false);
    assert.equal(pod.restartPolicy, "Never");
  }
});

Deno.test("desiredChild() uses the operator's image unless the Printer names one", () => {
  assert.equal(desiredChild(printer(), SETTINGS).spec.containers[0].image, SETTINGS.image);
  assert.equal(desiredChild(printer({ image: "alpine:3" }), SETTINGS).spec.containers[0].image, "alpine:3");
});

Deno.test("desiredChild() marks a template, so that another operator image tells", () => {
  const marks = [SETTINGS, { image: "busybox:2" }].map((settings) =>
    desiredChild(printer(), settings).metadata.labels?.[TEMPLATE_LABEL]
  );
  assert.notEqual(marks[0], marks[1]);
});

Deno.test("desiredChild() makes the same object of the same spec", () => {
  assert.deepEqual(childOf(printer()), childOf(printer()));
});

Deno.test("desiredMarks() name the same object as desiredChild()", () => {
  for (const mode of ["Pod", "Job"] as const) {
    const [child, marks] = [desiredChild(printer({ mode }), SETTINGS), desiredMarks(printer({ mode }))];
    assert.deepEqual([marks.apiVersion, marks.kind, marks.metadata.name], [
      child.apiVersion,
      child.kind,
      child.metadata.name,
    ]);
    assert.equal(marks.spec, undefined);
  }
});

Deno.test("requestDigest() changes with text, mode and image and with nothing else", () => {
  const digest = requestDigest(printer().spec);
  assert.equal(requestDigest(printer({ ttlSecondsAfterFinished: 5 }).spec), digest);
  for (const other of [{ textToPrint: "Bye" }, { mode: "Job" }, { image: "alpine" }] as const) {
    assert.notEqual(requestDigest(printer(other).spec), digest);
  }
});

const NAMES: Record<string, [name: string, child: string]> = {
  "keeps a name that fits": ["hello", "hello"],
  "keeps dots": ["v1.hello", "v1.hello"],
  "keeps 63 characters": ["a".repeat(63), "a".repeat(63)],
  "cuts a longer one and adds a hash": ["a".repeat(64), `${"a".repeat(57)}-ffe05`],
  "bares no dot where it cuts": [`${"a".repeat(56)}.${"b".repeat(20)}`, `${"a".repeat(56)}-ec85e`],
};
for (const [sentence, [name, child]] of Object.entries(NAMES)) {
  Deno.test(`childName() ${sentence}`, () => {
    assert.equal(childName({ metadata: { name } }), child);
    assert.match(child, /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
  });
}

/** What the container writes: the kubelet's reading of the command, then POSIX printf's of `%s\n`. */
function printed(command: string[]): string {
  const [program, format, ...texts] = command.map(kubeletExpand);
  assert.deepEqual([program, format, texts.length], ["printf", "%s\\n", 1]);
  return `${texts[0]}\n`;
}

/** Expansion of `$(NAME)` by k8s.io/kubernetes third_party/forked/golang/expansion, with every variable set. */
function kubeletExpand(input: string): string {
  return input.replace(/\$(\$|\([^)]*\)|[^]|$)/g, (match, next: string) => {
    if (next === "$") return "$";
    return next.startsWith("(") && next.endsWith(")") ? "EXPANDED" : match === "$" ? "$" : `$<broken>${next}`;
  });
}
