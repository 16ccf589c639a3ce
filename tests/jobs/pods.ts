/**
 * What a Pod is to the job runner: whether it is played, and how its containers are told of.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import type { Container } from "./environment.ts";

/** It has begun, and has not been told to end. */
export function isRunning({ metadata, status }: KubeObject): boolean {
  return !metadata.deletionTimestamp && status?.phase === "Running";
}

/** The last part of one of its images says `unready`. */
export function isPlayedHere({ spec }: KubeObject): boolean {
  return (spec.containers as Container[]).some(({ image }) => image.split("/").at(-1)!.includes("unready"));
}

/** `status.containerStatuses[]`. */
export function statusOf({ name, image }: Container, state: Record<string, unknown>): Record<string, unknown> {
  return { name, image, imageID: "", ready: false, restartCount: 0, state };
}

/** Standard output and error as one text, in the order in which they come. */
export async function collected(process: Deno.ChildProcess, run: { log: string }): Promise<string> {
  let text = "";
  const read = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      run.log += chunk;
    }
  };
  await Promise.all([read(process.stdout), read(process.stderr)]);
  return text;
}
