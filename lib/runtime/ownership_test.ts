import assert from "node:assert/strict";
import { childOf, GADGET, gadget } from "./fake_owner.ts";
import { annotatedOwner, isOwnedBy, ownerLabels, ownerReferenceText, stamp } from "./ownership.ts";

const OWNER = gadget();
const CHILD = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "c", namespace: "elsewhere", labels: { own: "1" } },
};

Deno.test("stamp() marks a child in another namespace by labels and annotation", () => {
  assert.deepEqual(stamp(CHILD, OWNER).metadata, {
    name: "c",
    namespace: "elsewhere",
    labels: {
      own: "1",
      "app.kubernetes.io/managed-by": "maquette",
      "app.kubernetes.io/instance": "g",
      "app.kubernetes.io/part-of": "gadget",
      "maquette.dev/owner-uid": "uid-g",
    },
    annotations: { "maquette.dev/owner": "Gadget.test.example.com/default/g" },
  });
});

Deno.test("stamp() gives a child beside its owner a controller reference, and a cluster-scoped one none", () => {
  const beside = { ...CHILD, metadata: { name: "c", namespace: "default" } };
  assert.deepEqual(stamp(beside, OWNER).metadata.ownerReferences, [{
    apiVersion: "test.example.com/v1",
    kind: "Gadget",
    name: "g",
    uid: "uid-g",
    controller: true,
    blockOwnerDeletion: true,
  }]);
  assert.equal(stamp({ ...CHILD, metadata: { name: "c" } }, OWNER).metadata.ownerReferences, undefined);
});

Deno.test("stamp() leaves nobody else's mark on a child and changes nothing that it was given", () => {
  const forged = { ...CHILD, metadata: { ...CHILD.metadata, labels: { "maquette.dev/owner-uid": "another" } } };
  assert.equal(stamp(forged, OWNER).metadata.labels!["maquette.dev/owner-uid"], "uid-g");
  assert.equal(forged.metadata.labels["maquette.dev/owner-uid"], "another");
});

Deno.test("labels of a long or odd owner are legal ones", () => {
  const labels = ownerLabels(gadget({ name: `${"x".repeat(62)}.y` }));
  assert.ok(labels["app.kubernetes.io/instance"]!.length <= 63);
  assert.match(labels["app.kubernetes.io/instance"]!, /^[a-z0-9]([-a-z0-9_.]*[a-z0-9])?$/i);
});

const owned: Record<
  string,
  [isOwned: boolean, object: Parameters<typeof isOwnedBy>[0], owner: Parameters<typeof isOwnedBy>[1]]
> = {
  "by its uid": [true, childOf(OWNER), OWNER],
  "not by a name alone": [false, childOf(OWNER), gadget({ uid: "another" })],
  "not without a label": [false, { ...CHILD, metadata: { name: "c" } }, OWNER],
  "not by an owner without a uid": [false, { ...CHILD, metadata: { name: "c" } }, gadget({ uid: undefined })],
};

for (const [name, [isOwned, object, owner]] of Object.entries(owned)) {
  Deno.test(`isOwnedBy(): ${name}`, () => assert.equal(isOwnedBy(object, owner), isOwned));
}

Deno.test("annotatedOwner() finds the owner of its kind, and of no other kind or group", () => {
  const child = stamp(CHILD, OWNER);
  assert.equal(ownerReferenceText(OWNER), "Gadget.test.example.com/default/g");
  assert.equal(annotatedOwner(child, GADGET), "default/g");
  assert.equal(annotatedOwner(child, { kind: "Gadget", group: "test.example.co" }), undefined);
  assert.equal(annotatedOwner(child, { kind: "Gadge", group: "test.example.com" }), undefined);
  assert.equal(annotatedOwner(CHILD, GADGET), undefined);
});
