import assert from "node:assert/strict";
import { readCommandLine } from "../lib/config.ts";
import { DISK_MEBIBYTES, FETCH_LIMITS, FETCHES, RENDER_LIMITS, RENDERINGS } from "../lib/render/bounds.ts";
import { fetchingOf } from "./environment_tools.ts";
import { workloadObjects } from "./install/workload.ts";

const MEBIBYTE = 1024 * 1024;

Deno.test("sources do not come from the cluster's networks, but for those that tenants' Pods may reach", () => {
  const flags = ["--cluster-ranges=10.0.0.0/8", "--reachable-ranges=10.1.0.0/16", "--build-allowed-ranges=10.2.3.4/32"];
  assert.deepEqual(fetchingOf(readCommandLine(flags, {}).config, "PEM").network, {
    denied: ["10.0.0.0/8"],
    allowed: ["10.1.0.0/16", "10.2.3.4/32"],
    caBundle: "PEM",
  });
  const { denied, allowed } = fetchingOf(readCommandLine([], {}).config, "").network!;
  assert.deepEqual([denied!.includes("192.168.0.0/16"), allowed], [true, []]);
});

Deno.test("what may be fetched and rendered at a time fits the Pod's memory and its disk", () => {
  for (const cache of [64, 1024]) {
    const { config } = readCommandLine([`--source-cache-mebibytes=${cache}`], {});
    const [deployment] = workloadObjects({ config, image: "a:1", replicas: 1 });
    const { containers: [container], volumes: [volume] } = deployment!.spec.template.spec;
    const beside = (RENDERINGS * RENDER_LIMITS.memoryBytes! + FETCHES * FETCH_LIMITS.memoryBytes!) / MEBIBYTE;
    assert.equal(parseInt(container.resources.limits.memory) - beside, 512);
    assert.ok(FETCH_LIMITS.memoryBytes! >= 4 * FETCH_LIMITS.fileBytes!);
    assert.equal(parseInt(volume.emptyDir.sizeLimit), cache + DISK_MEBIBYTES);
    assert.ok(DISK_MEBIBYTES > FETCHES * 2 * FETCH_LIMITS.bytes! / MEBIBYTE);
  }
});
