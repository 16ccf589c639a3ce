import assert from "node:assert/strict";
import { ANNOTATION_LEADER } from "../api/names.ts";
import { NAMESPACE } from "../api/resources.ts";
import { KubeClient } from "../kube/client.ts";
import { KubeError } from "../kube/errors.ts";
import { SCRIPTED_CREDENTIALS } from "../kube/scripted_server.ts";
import { LeadershipLost } from "./elector.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import { createServer } from "./fake_cluster.ts";
import { raiseFence } from "./fence.ts";
import { silentLogger } from "./log.ts";

/** The operator's Namespace on a scripted API server, and who would be the leader. */
class Bench {
  readonly clock = new FakeClock();
  readonly server = createServer(this.clock);
  readonly warnings: string[] = [];
  readonly stop = new AbortController();
  /** Who holds the lease. */
  holder = "a-1";

  constructor() {
    const metadata = { name: "ops", annotations: { team: "theirs" } };
    this.server.store.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata });
  }

  raise(identity: string): Promise<void> {
    const check = (): void => {
      if (this.holder !== identity) throw new LeadershipLost();
    };
    const guard = { check, signal: new AbortController().signal };
    const kube = new KubeClient(SCRIPTED_CREDENTIALS, { fetch: this.server.fetch, guard });
    const log = { ...silentLogger, warn: (message: string) => void this.warnings.push(message) };
    const raised = raiseFence({ kube, clock: this.clock, log, namespace: "ops", identity }, this.stop.signal);
    return raised.finally(() => kube.close());
  }

  get annotations(): Record<string, string> | undefined {
    return this.server.store.get(NAMESPACE, "ops").metadata.annotations;
  }
}

Deno.test("raiseFence() says who leads, and leaves what others wrote", async () => {
  const bench = new Bench();
  await bench.raise("a-1");
  assert.deepEqual(bench.annotations, { team: "theirs", [ANNOTATION_LEADER]: "a-1" });
  bench.holder = "b-2";
  await bench.raise("b-2");
  assert.deepEqual(bench.annotations, { team: "theirs", [ANNOTATION_LEADER]: "b-2" });
  assert.equal(bench.server.requests.length, 4);
});

Deno.test("raiseFence() tries again while it is refused or nobody answers, and is done only then", async () => {
  const bench = new Bench();
  bench.server.fail({ verb: "get" }, "reset");
  bench.server.fail({ verb: "apply" }, new KubeError(409, "Conflict", "It was changed"));
  bench.server.fail({ verb: "apply" }, new KubeError(500, "InternalError", "No leader"));
  let isDone = false;
  const raised = bench.raise("a-1").then(() => isDone = true);
  await settle();
  for (let turn = 0; turn < 3; turn++) {
    assert.equal(isDone, false);
    await bench.clock.advance(500);
  }
  await raised;
  assert.equal(bench.annotations?.[ANNOTATION_LEADER], "a-1");
  assert.equal(bench.warnings.length, 2, "a conflict is nothing to warn of");
});

Deno.test("a name that comes late does not replace the successor's", async () => {
  const bench = new Bench();
  bench.server.interpose({ verb: "apply" }, {
    before: async () => {
      bench.holder = "b-2";
      await bench.raise("b-2");
    },
  });
  const late = bench.raise("a-1");
  await settle();
  assert.equal(bench.annotations?.[ANNOTATION_LEADER], "b-2");
  bench.server.forget();
  await bench.clock.advance(5_000);
  assert.deepEqual(bench.server.writes, [], "without the lease it writes nothing any more");
  bench.stop.abort();
  await late;
  assert.equal(bench.annotations?.[ANNOTATION_LEADER], "b-2");
});
