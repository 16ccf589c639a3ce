/**
 * The CRDs against a real API server, the webhook off: what schema and CEL alone take, refuse, fill in and show.
 *
 * @module
 */
import assert from "node:assert/strict";
import { generatedFiles } from "../../crds/generate.ts";
import type { KubeObject } from "../../lib/api/object.ts";
import { KINDS } from "../../lib/api/registry.ts";
import { immutabilityProblems, schemaProblems, withDefaults } from "../../lib/api/validate.ts";
import { type ControlPlane, startControlPlane } from "../control_plane/control_plane.ts";
import { databaseMigration } from "../fixtures/database_migrations.ts";
import { environment } from "../fixtures/environments.ts";
import { preview } from "../fixtures/good_previews.ts";
import { NAMESPACE } from "../fixtures/object_case.ts";
import { BAD_OBJECTS, GOOD_OBJECTS, UPDATES } from "../fixtures/objects.ts";
import { portfolioApp } from "../fixtures/portfolio_apps.ts";
import { printer } from "../fixtures/printers.ts";
import { project } from "../fixtures/projects.ts";
import { RawRequests } from "../fixtures/raw_requests.ts";
import { waitFor } from "../wait.ts";

const DRY_RUN = { dryRun: "All" };
const STRICT = { fieldValidation: "Strict" };
const STATUS = {
  phase: "Ready",
  url: "https://pr-7.preview.example.com",
  namespace: "preview-pr-7",
  image: "ghcr.io/acme/shop:1.4.2",
  expiresAt: "2099-01-02T03:04:05Z",
  observedGeneration: 1,
  conditions: [{
    type: "Ready",
    status: "True",
    reason: "RolledOut",
    message: "All is well",
    lastTransitionTime: "2026-01-02T03:04:05Z",
  }],
  inventory: [{ kind: "Namespace", name: "preview-pr-7" }],
  history: [{ time: "2026-01-02T03:04:05Z", outcome: "Ready", image: "ghcr.io/acme/shop:1.4.2" }],
};

/** A table of `kubectl get` as rows of words; no value in these tests has a space. */
function rowsOf(table: string): string[][] {
  return table.trim().split("\n").map((line) => line.trim().split(/\s+/));
}

function named(object: KubeObject, name: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, name } };
}

function crdName({ resource }: (typeof KINDS)[number]): string {
  return `${resource.plural}.${resource.group}`;
}

/** Runs a test against an API server that has the CRDs and nothing else of ours. */
async function withCrds(use: (plane: ControlPlane, requests: RawRequests) => Promise<void>): Promise<void> {
  await using plane = await startControlPlane();
  using requests = await RawRequests.open(plane.kubeconfigPath);
  const crds = [...generatedFiles().values()].join("---\n");
  await plane.kubectl(["apply", "--server-side", "--validate=strict", "-f", "-"], { stdin: crds });
  await plane.kubectl(["wait", "--for=condition=Established", "crd", ...KINDS.map(crdName)]);
  await plane.kubectl(["create", "namespace", NAMESPACE]);
  try {
    await use(plane, requests);
  } finally {
    await plane.kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
  }
}

Deno.test("the API server and the schemas agree, the webhook off", (t) =>
  withCrds(async (plane, requests) => {
    await t.step("the CRDs have no fault that the API server only reports", async () => {
      for (const kind of KINDS) {
        const { stdout } = await plane.kubectl(["get", "crd", crdName(kind), "-o", "json"]);
        const conditions: { type: string; status: string }[] = JSON.parse(stdout).status.conditions;
        assert.ok(!conditions.some(({ type }) => type === "NonStructuralSchema"), kind.singular);
        assert.ok(conditions.some(({ type, status }) => type === "NamesAccepted" && status === "True"), kind.singular);
      }
    });

    for (const [sentence, { kind, object }] of Object.entries(GOOD_OBJECTS)) {
      await t.step(`it takes, and fills in as withDefaults() does: ${sentence}`, async () => {
        const { code, body } = await requests.write(kind.resource, object, { query: { ...DRY_RUN, ...STRICT } });
        assert.equal(code, 201, body.message);
        assert.deepEqual(body.spec, withDefaults(kind, object).spec);
      });
    }

    for (const [sentence, { kind, object, field }] of Object.entries(BAD_OBJECTS)) {
      await t.step(`it refuses otherwise: ${sentence}`, async () => {
        const { code, body, fields } = await requests.write(kind.resource, object, { query: DRY_RUN });
        assert.equal(code, 422, body.message);
        assert.ok(fields.includes(field!), body.message);
        assert.deepEqual(schemaProblems(kind, object).map((problem) => problem.field), [field]);
      });
    }

    for (const [index, [sentence, { kind, old, object, field }]] of Object.entries(UPDATES).entries()) {
      await t.step(`it knows of updates: ${sentence}`, async () => {
        const name = `update-${index}`;
        const { body: { metadata } } = await requests.write(kind.resource, named(old, name));
        const update = { ...object, metadata };
        const { code, body, fields } = await requests.write(kind.resource, update, { method: "PUT", query: DRY_RUN });
        assert.equal(code, field === undefined ? 200 : 422, body.message);
        assert.deepEqual(fields, field === undefined ? [] : [field]);
        assert.deepEqual(immutabilityProblems(kind, update, old).map((problem) => problem.field), fields);
      });
    }
  }));

Deno.test("kubectl knows the kinds", (t) =>
  withCrds(async (plane, requests) => {
    const [previews, printers, projects, environments, apps, migrations] = KINDS.map(({ resource }) => resource);

    async function createWithStatus(object: KubeObject, status: Record<string, unknown>): Promise<void> {
      const resource = object.kind === "Printer" ? printers! : previews!;
      const { body } = await requests.write(resource, object);
      const written = await requests.write(resource, { ...body, status }, { method: "PUT", subresource: "status" });
      assert.equal(written.code, 200, written.body.message);
    }

    await t.step("a status of every shared and own field is stored", async () => {
      await createWithStatus(preview(), STATUS);
      const { conditions, history } = STATUS;
      await createWithStatus(printer(), {
        phase: "Completed",
        podName: "sample",
        exitCode: 0,
        output: "Hello",
        conditions,
        history,
      });
      const { stdout } = await plane.kubectl(["get", "prenv", "sample", "-n", NAMESPACE, "-o", "json"]);
      assert.deepEqual(JSON.parse(stdout).status, STATUS);
    });

    await t.step("objects of the other kinds, as existing users have them, are stored", async () => {
      assert.equal((await requests.write(migrations!, databaseMigration())).code, 201);
      assert.equal((await requests.write(apps!, portfolioApp())).code, 201);
      assert.equal((await requests.write(projects!, project())).code, 201);
      assert.equal((await requests.write(environments!, environment())).code, 201);
    });

    await t.step("a phase that the kind does not have is refused", async () => {
      const { stdout } = await plane.kubectl(["get", "prenv", "sample", "-n", NAMESPACE, "-o", "json"]);
      const object = { ...JSON.parse(stdout), status: { phase: "Happy" } };
      const { code, fields } = await requests.write(previews!, object, { method: "PUT", subresource: "status" });
      assert.equal(code, 422);
      assert.ok(fields.includes("status.phase"));
    });

    await t.step("kubectl get prenv shows the columns of the contract", async () => {
      const [head, row] = rowsOf((await plane.kubectl(["get", "prenv", "-n", NAMESPACE])).stdout);
      assert.deepEqual(head, ["NAME", "PR", "PHASE", "URL", "IMAGE", "EXPIRES", "AGE"]);
      assert.deepEqual(row!.slice(0, -1), ["sample", "7", "Ready", STATUS.url, STATUS.image, STATUS.expiresAt]);
      assert.match(row!.at(-1)!, /^\d+[smh]/);
    });

    await t.step("kubectl get prenv -o wide adds the namespace and what Ready says", async () => {
      const { stdout } = await plane.kubectl(["get", "prenv", "-n", NAMESPACE, "-o", "wide"]);
      assert.deepEqual(rowsOf(stdout)[0]!.slice(7), ["NAMESPACE", "REASON", "MESSAGE"]);
      assert.match(stdout, /preview-pr-7\s+RolledOut\s+All is well/);
    });

    await t.step("kubectl get prt shows mode, phase, Pod and exit code", async () => {
      const [head, row] = rowsOf((await plane.kubectl(["get", "prt", "-n", NAMESPACE])).stdout);
      assert.deepEqual(head, ["NAME", "MODE", "PHASE", "POD", "EXIT", "AGE"]);
      assert.deepEqual(row!.slice(0, -1), ["sample", "Pod", "Completed", "sample", "0"]);
    });

    await t.step("the categories maquette and all list every kind", async () => {
      for (const category of ["maquette", "all"]) {
        const { stdout } = await waitFor(`category ${category}`, async () => {
          const found = await plane.kubectl(["get", category, "-n", NAMESPACE, "-o", "name"]);
          return KINDS.every((kind) => found.stdout.includes(`${kind.singular}.${kind.resource.group}/sample`)) &&
            found;
        });
        assert.ok(stdout);
      }
    });

    await t.step("kubectl explain describes the kinds and their fields", async () => {
      const kind = await plane.kubectl(["explain", "prenv"]);
      assert.match(kind.stdout, /one image for one pull request/);
      const field = await plane.kubectl(["explain", "prenv.spec.env.valueFrom.secretKeyRef.optional"]);
      assert.match(field.stdout, /may start without the\s+Secret/);
      const status = await plane.kubectl(["explain", "prt.status.conditions.reason"]);
      assert.match(status.stdout, /CamelCase/);
    });

    await t.step("an unknown field is refused by kubectl and dropped otherwise", async () => {
      const object = named(preview({ replica: 2 }), "typo");
      const strict = await plane.kubectl(["create", "-f", "-"], { stdin: JSON.stringify(object), check: false });
      assert.equal(strict.code, 1);
      assert.match(strict.stderr, /unknown field "spec\.replica"/);
      const { code, body, warnings } = await requests.write(previews!, object, { query: DRY_RUN });
      assert.equal(code, 201);
      assert.ok(!("replica" in body.spec));
      assert.match(warnings, /unknown field/);
    });
  }));
