import assert from "node:assert/strict";
import { FakeClock } from "../../lib/runtime/fake_clock.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { type ChildOptions, MAX_STDERR_BYTES, runChild } from "../../lib/render/child.ts";

/** A program of the shell. */
function shell(script: string, more: Partial<ChildOptions> = {}): ChildOptions {
  const options = { input: "", deadlineMs: 60_000, maxOutputBytes: 1_000_000, clock: systemClock };
  return { path: "/bin/sh", args: ["-c", script], ...options, ...more };
}

Deno.test("a child gets its input and gives its output, its errors and its status", async () => {
  const end = await runChild(shell('cat; echo "said" >&2; exit 3', { input: "in ümlaut" }));
  assert.deepEqual(end, { code: 3, stdout: "in ümlaut", stderr: "said\n", ending: undefined });
});

Deno.test("a child has no environment but what a shell makes itself", async () => {
  const { stdout } = await runChild({ ...shell(""), path: "/usr/bin/env", args: [] });
  assert.equal(stdout, "");
});

Deno.test("a child that reads nothing is no failure of ours", async () => {
  const { code, stdout } = await runChild(shell("echo done", { input: "x".repeat(5_000_000) }));
  assert.deepEqual([code, stdout], [0, "done\n"]);
});

Deno.test("a child that hangs is killed at the deadline, and its own children do not hold us up", async () => {
  const clock = new FakeClock();
  const run = runChild(shell("sleep 2 & exec sleep 600", { clock, deadlineMs: 5000 }));
  assert.equal(clock.pending, 1);
  await clock.advance(4999);
  assert.equal(await Promise.race([run, Promise.resolve("running")]), "running");
  await clock.advance(1);
  const { ending, code } = await run;
  assert.deepEqual([ending, code, clock.pending], ["late", 137, 0]);
});

Deno.test("a child that gives too much is killed, and what was read is bounded", async () => {
  const { ending, stdout } = await runChild(shell("yes", { maxOutputBytes: 10_000 }));
  assert.equal(ending, "tooMuch");
  assert.equal(stdout.length, 10_000);
});

Deno.test("errors without end are read and forgotten", async () => {
  const { code, stderr } = await runChild(shell("head -c 3000000 /dev/zero >&2"));
  assert.deepEqual([code, stderr.length], [0, MAX_STDERR_BYTES]);
});

Deno.test("a child whose answer nobody wants is killed", async () => {
  const abort = new AbortController();
  const run = runChild(shell("exec sleep 600", { signal: abort.signal }));
  abort.abort();
  assert.equal((await run).ending, "aborted");
  assert.equal((await runChild(shell("exec sleep 600", { signal: abort.signal }))).ending, "aborted");
});

Deno.test("a program that is not there is an error", async () => {
  await assert.rejects(runChild({ ...shell(""), path: "/nowhere/program" }), Deno.errors.NotFound);
});
