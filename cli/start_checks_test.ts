import assert from "node:assert/strict";
import { readCommandLine, UsageError } from "../lib/config.ts";
import { FakeRenderer } from "../lib/render/fake_renderer.ts";
import { RENDERER_GARBAGE, RenderError } from "../lib/render/render_error.ts";
import { checkRenderer } from "./start_checks.ts";

const { config } = readCommandLine(["--source-cache=/cache"], {});

Deno.test("checkRenderer() asks for nothing but an answer", async () => {
  const renderer = new FakeRenderer();
  await checkRenderer(config, renderer);
  assert.deepEqual(renderer.forgets, [{ cacheDir: "/cache", paths: [] }]);
});

Deno.test("checkRenderer() refuses a program that answers something else", async () => {
  const garbage = new RenderError(RENDERER_GARBAGE, 'Renderer gave no answer to "forget"');
  const checked = checkRenderer(config, { forget: () => Promise.reject(garbage) });
  const message = /^--renderer: Renderer gave no answer to "forget"; maquette-render of this very release/;
  await assert.rejects(checked, (error) => error instanceof UsageError && message.test(error.message));
});
