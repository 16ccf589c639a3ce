import assert from "node:assert/strict";
import { ANNOTATION_CONTENT, ANNOTATION_SOURCE } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import { BUILD_LABEL } from "../../build/names.ts";
import type { SeenEnvironment } from "./checks.ts";
import { revokedOf, secretMarks } from "./lent.ts";
import { environment, project, seen, SETTINGS } from "./test_objects.ts";

const NAMESPACE = "acme-shop-dev";

function copy(name: string, from = "acme", content: string | undefined = "12345678"): KubeObject {
  const annotations = { [ANNOTATION_SOURCE]: `${from}/${name}@u1/7`, [ANNOTATION_CONTENT]: content };
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: NAMESPACE, annotations } };
}

/** As the cache has one that was changed by hand. */
function changed(name: string): KubeObject {
  const { metadata, ...rest } = copy(name);
  return { ...rest, metadata: { ...metadata, annotations: { ...metadata.annotations, [ANNOTATION_SOURCE]: "" } } };
}

function build(): KubeObject {
  return { apiVersion: "batch/v1", kind: "Job", metadata: { name: "build", labels: { [BUILD_LABEL]: "build" } } };
}

const LENT = [copy("database"), copy("push"), copy("git"), copy("old"), changed("odd"), build()];
const WILDCARD = { settings: { ...SETTINGS, tls: { mode: "wildcard", secret: "wild" } as const } };
const ALL_NAMED = project({
  source: { repositoryUrl: "https://github.com/acme/shop", secretRef: { name: "git" } },
  secrets: ["database"],
  build: { image: "ghcr.io/acme/shop", pushSecretRef: { name: "push" } } as NonNullable<
    ReturnType<typeof project>["spec"]["build"]
  >,
});
const GUEST = environment({}, { metadata: { namespace: "guests" } });
const OPEN = { ...ALL_NAMED, spec: { ...ALL_NAMED.spec, allowedNamespaces: ["guests"] } };

const CASES: Record<string, [given: Partial<SeenEnvironment>, names: string[]]> = {
  "what its Project names no more": [{ project: ALL_NAMED }, ["old", "odd"]],
  "the same of a Project elsewhere that lets it in": [{ owner: GUEST, project: OPEN }, ["old", "odd"]],
  "all of a Project elsewhere that does not, and builds with it": [
    { owner: GUEST, project: ALL_NAMED },
    ["database", "push", "git", "old", "odd", "build"],
  ],
  "all of a Project elsewhere that is gone": [
    { owner: GUEST, project: undefined },
    ["database", "push", "git", "old", "odd", "build"],
  ],
  "nothing that was from its own namespace, whose Project may come again": [{ project: undefined }, ["odd", "build"]],
  "all from elsewhere where it lives in an environment itself": [
    { owner: GUEST, project: OPEN, isNested: true },
    ["database", "push", "git", "old", "odd", "build"],
  ],
  "not the operator's certificate, whatever becomes of the Project": [
    { ...WILDCARD, owner: GUEST, project: undefined, lent: [copy("wild", "maquette-system"), copy("database")] },
    ["database"],
  ],
};

for (const [name, [given, names]] of Object.entries(CASES)) {
  Deno.test(`an environment loses ${name}`, () => {
    const lost = revokedOf(seen({ lent: LENT, ...given }));
    assert.deepEqual(lost.map(({ metadata }) => metadata.name), names);
  });
}

/** Named, there, and copied. */
function copied(lent: KubeObject[]): ReturnType<typeof secretMarks> {
  const names = ["database", "mail"];
  const secrets = new Map(names.map((name) => [`acme/${name}`, { ...copy(name), metadata: { name } }]));
  return secretMarks(seen({ project: project({ secrets: names }), secrets, lent }));
}

Deno.test("secretMarks() has a mark for each Secret that the Project has copied, and for no other", () => {
  const marks = copied([copy("mail"), copy("database"), copy("git")]);
  assert.deepEqual([...marks!.keys()].sort(), ["database", "mail"]);
  assert.deepEqual([...secretMarks(seen())!], []);
});

Deno.test("secretMarks() knows nothing while a copy is missing or was changed by hand", () => {
  assert.equal(copied([copy("mail")]), undefined);
  assert.equal(copied([copy("mail"), changed("database")]), undefined);
});
