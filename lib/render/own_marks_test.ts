import assert from "node:assert/strict";
import { ownMarksOf } from "./own_marks.ts";
import { object } from "./test_objects.ts";

const MARK = "maquette.dev/owner-uid";
const FORGED = { metadata: { labels: { [MARK]: "a", app: "web" } } };

const CASES: Record<string, [spec: object, want: string[]]> = {
  "of the Pods of a Deployment": [{ template: FORGED }, [`spec.template.metadata.labels[${MARK}]`]],
  "of a CronJob's Jobs and of their Pods": [
    { jobTemplate: { ...FORGED, spec: { template: FORGED } } },
    [`spec.jobTemplate.metadata.labels[${MARK}]`, `spec.jobTemplate.spec.template.metadata.labels[${MARK}]`],
  ],
  "of a StatefulSet's claims": [
    { volumeClaimTemplates: [{ metadata: { name: "data" } }, FORGED] },
    [`spec.volumeClaimTemplates[1].metadata.labels[${MARK}]`],
  ],
  "of a Pod's own claims": [
    { volumes: [{ ephemeral: { volumeClaimTemplate: FORGED } }] },
    [`spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.labels[${MARK}]`],
  ],
  "of what other controllers make": [
    { inheritedMetadata: { annotations: { "maquette.dev/hook": "a" } } },
    ["spec.inheritedMetadata.annotations[maquette.dev/hook]"],
  ],
  "that make a Pod one of Maquette's": [
    { template: { metadata: { labels: { "app.kubernetes.io/managed-by": "maquette" } } } },
    ["spec.template.metadata.labels[app.kubernetes.io/managed-by]"],
  ],
};

for (const [name, [spec, want]] of Object.entries(CASES)) {
  Deno.test(`ownMarksOf() finds marks ${name}`, () => {
    assert.deepEqual(ownMarksOf({ ...object("example.com/v1", "Thing", "x"), spec }), want);
  });
}

Deno.test("ownMarksOf() finds none in selectors, in texts, in what is no record, and in what charts may set", () => {
  const spec = {
    selector: { [MARK]: "a" },
    template: { metadata: { labels: "text", annotations: { "maquette.dev/prune": "disabled" } } },
    containers: [null, { args: [MARK] }],
  };
  const metadata = { labels: { "app.kubernetes.io/managed-by": "Helm" } };
  assert.deepEqual(ownMarksOf({ ...object("v1", "Service", "x", metadata), spec }), []);
});
