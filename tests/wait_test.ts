import assert from "node:assert/strict";
import { waitFor, waitUntil } from "./wait.ts";

Deno.test("waitFor() returns the first true answer, and takes an error for a no", async () => {
  let looks = 0;
  const probe = (): string | undefined => {
    looks++;
    if (looks === 1) throw new Error("Not yet");
    return looks === 3 ? "here" : undefined;
  };
  assert.equal(await waitFor("an answer", probe), "here");
  assert.equal(looks, 3);
});

Deno.test("waitUntil() says what it waited for and what it saw last", async () => {
  await assert.rejects(waitUntil("a six", () => ({ dice: 5 }), ({ dice }) => dice === 6, 1), {
    message: "Timed out after 0.003 s waiting for a six: last seen { dice: 5 }",
  });
});

Deno.test("waitFor() shows the error that the last look ended with", async () => {
  const probe = (): never => {
    throw new Error("No route");
  };
  await assert.rejects(waitFor("an answer", probe, 1), /waiting for an answer: last seen No route$/);
});
