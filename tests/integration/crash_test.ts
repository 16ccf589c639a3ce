/**
 * The operator is killed again and again in the middle of its work, and started again each time.
 */
import assert from "node:assert/strict";
import { timePasses, Trial } from "../asked_trial.ts";
import { seededRandom } from "../asked_wave.ts";
import { startControlPlane } from "../control_plane/control_plane.ts";
import { install } from "../installed.ts";

/** Another one makes other moments and another wave. */
const SEED = Number(Deno.env.get("CRASH_SEED") ?? 20_260_403);
const PRESENT = 60;
const KILLS = 20;
const SENT_PER_LIFE = 10;
/** A process lives no longer than this once it is ready. */
const LONGEST_LIFE_MS = 2_000;
/** Each process acts at once: nobody waits for the lease of one that was killed. */
const FLAGS = ["--tls=none", "--leader-election=false"];

const NAME = `killed at ${KILLS} random moments of ${
  KILLS * SENT_PER_LIFE
} creates, updates and deletes (seed ${SEED})`;

Deno.test(`an operator that is ${NAME} loses, leaks and blocks nothing`, async () => {
  const random = seededRandom(SEED);
  await using plane = await startControlPlane({ nodes: 2 });
  await using operator = await install(plane, { flags: FLAGS });
  using trial = await Trial.start(plane, SEED, FLAGS);
  await trial.wave.create(PRESENT);
  await trial.untilEqual();
  const sent: Promise<void>[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const part = trial.wave.send(SENT_PER_LIFE);
    // What it throws is thrown where all are waited for.
    part.catch(() => {});
    sent.push(part);
    await timePasses(random() * LONGEST_LIFE_MS);
    await operator.stop("SIGKILL");
    await operator.start();
  }
  await Promise.all(sent);
  await trial.untilEqual();
  assert.equal(await operator.metric("maquette_watch_missed_events_total"), 0);
});
