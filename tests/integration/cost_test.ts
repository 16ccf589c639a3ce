/**
 * What an environment costs, where it can be said exactly: requests. CPU and time only within wide bounds, and beside a
 * bare client in the same run; `deno task bench` measures them.
 */
import assert from "node:assert/strict";
import { auditMark, beyondWatching, requestsSince } from "../audit.ts";
import { bareRun } from "../bench/bare.ts";
import { Bed } from "../bench/bed.ts";
import { withoutWatches, writesAmong } from "../bench/figures.ts";
import { untilReady } from "../bench/outside.ts";
import { Decisions, OWNER } from "../bench/owners.ts";
import { ratioOf } from "../bench/report.ts";
import { waves } from "../bench/waves.ts";
import { keyOf, type KubeObject } from "../../lib/api/object.ts";
import { waitFor } from "../wait.ts";
import { OPERATOR, preview } from "./previews.ts";

const MANY = 50;
const CONCURRENCY = 32;
/** Far above what is measured on a quiet machine: only a change of kind shall be found, not a busy neighbour. */
const ROOM = { ratio: 4, cpuMsEach: 60 };

const TWO_STATUSES = [1, 2].flatMap(() => ["patch previewenvironments/status", "create events"]);
/** Without its audit log and its processes there is nothing to count. */
const isOurs = Deno.env.get("USE_EXISTING_CLUSTER") !== "true";
const test = isOurs ? Deno.test : Deno.test.ignore;

test("an environment costs its objects, two status writes and their Events", async (t) => {
  await using bed = await Bed.start(2, []);
  const decisions = new Decisions([]);
  const children = await decisions.objects(1);

  await t.step("a new one", async () => {
    const expected = counted([...children.map((child) => requestFor(child, decisions)), ...TWO_STATUSES]);
    assert.deepEqual(await costOf(bed, preview(1), (owner) => bed.kube.create(owner, OWNER, "test")), expected);
  });

  await t.step("a new image", async () => {
    const patch = [{ op: "replace" as const, path: "/spec/image_tag", value: "v2" }];
    const cost = await costOf(bed, preview(1), ({ metadata }) => bed.kube.patch(OWNER, metadata, patch));
    assert.deepEqual(cost, counted(["patch deployments", ...TWO_STATUSES]));
  });

  await t.step("nothing, when nothing changes", async () => {
    const patch = [{ op: "add" as const, path: "/metadata/annotations", value: { "example.com/note": "1" } }];
    const cost = await costOf(bed, preview(1), ({ metadata }) => bed.kube.patch(OWNER, metadata, patch));
    assert.deepEqual(cost, {});
  });

  await t.step("gone", async () => {
    await bed.kube.remove(OWNER, preview(1).metadata, {});
    // Its last requests must not be counted with those of the next step.
    await waitFor(
      "the environment to be gone",
      async () => (await bed.kube.list(OWNER, {}, { limit: 1 })).items.length === 0,
    );
  });

  await t.step(`${MANY} at once cost no more each, and a restart over them writes nothing`, async () => {
    await bed.stopOperator();
    const bare = new Map([[MANY, [
      await bareRun(bed, { first: 1_000, size: MANY }, { decisions, concurrency: CONCURRENCY }),
    ]]]);
    await bed.startOperator();
    const range = { first: 2_000, size: MANY };
    for await (const wave of waves(bed, range, { decisions, applyConcurrency: CONCURRENCY })) {
      const { cpu } = wave.wholeUsage;
      const requests = withoutWatches(wave.wholeUsage.requests);
      if (wave.wave === "create") {
        const applies = (children.length - 1) * MANY;
        assert.deepEqual(requests, { apply: applies, "apply-status": 2 * MANY, create: MANY, event: 2 * MANY });
        const ratio = ratioOf(wave, bare)!;
        assert.ok(ratio <= ROOM.ratio, `${ratio} times what a bare client needs`);
      }
      if (wave.wave === "update") {
        assert.deepEqual(requests, { apply: MANY, "apply-status": 2 * MANY, event: 2 * MANY });
      }
      if (wave.wave === "restart") assert.equal(writesAmong(requests), 0);
      const cpuMsEach = cpu.operator! * 1000 / MANY;
      assert.ok(cpuMsEach <= ROOM.cpuMsEach, `${wave.wave}: ${cpuMsEach} ms of CPU each`);
    }
  });
});

/** Namespaces are created, everything else is applied. */
function requestFor(child: KubeObject, decisions: Decisions): string {
  return `${child.kind === "Namespace" ? "create" : "patch"} ${decisions.resourceOf(child).plural}`;
}

/** What the API server was asked by the operator, from a change of an owner until all was done. */
async function costOf(
  bed: Bed,
  owner: KubeObject,
  change: (owner: KubeObject) => Promise<unknown>,
): Promise<Record<string, number>> {
  await bed.quiet();
  const audit = bed.plane.auditLogPath!;
  const mark = await auditMark(audit);
  await change(owner);
  await untilReady(bed.kube, OWNER, [keyOf(owner)]);
  await bed.quiet();
  const requests = beyondWatching(await requestsSince(audit, mark, OPERATOR));
  return counted(requests.map(({ verb, uri }) => `${verb} ${resourceIn(uri)}`));
}

/** `services` or `previewenvironments/status`, from a path of the API. */
function resourceIn(uri: string): string {
  const [path = ""] = uri.split("?");
  const parts = path.split("/").slice(path.startsWith("/api/") ? 3 : 4);
  // A namespace's own path has two parts; what is in it has more.
  const [plural, , subresource] = parts[0] === "namespaces" && parts.length > 2 ? parts.slice(2) : parts;
  return subresource ? `${plural}/${subresource}` : plural!;
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
