/**
 * What fetches and renderings may take beside the operator: their number, and the limits of each. The Pod's limits
 * follow from them (cli/install/workload.ts).
 *
 * @module
 */
import type { FetchRequest, RenderLimits } from "./renderer.ts";

const MEBIBYTE = 1024 * 1024;

/** Renderings at a time, and of one environment. */
export const RENDERINGS = 2;
export const RENDERINGS_OF_ONE = 1;
/** Fetches at a time, and from one host: one that never answers leaves places for the others. */
export const FETCHES = 4;
export const FETCHES_FROM_ONE_HOST = 2;
/** And from all hosts together that did not answer the last time: however many hang, others find a place. */
export const FETCHES_FROM_STRANGERS = 3;

const RENDERING_MEBIBYTES = 256;
const FETCH_MEBIBYTES = 192;
/** On the wire, and once more of the checkout. */
const SOURCE_MEBIBYTES = 128;
const SOURCE_FILES = 20_000;
/** The program needs four times as much memory. */
const LARGEST_FILE_MEBIBYTES = FETCH_MEBIBYTES / 6;
/** What every file may take on disk beyond its content. */
const BLOCK_BYTES = 4096;

/** Of one rendering. */
export const RENDER_LIMITS: RenderLimits = { memoryBytes: RENDERING_MEBIBYTES * MEBIBYTE };

/** Of one fetch. */
export const FETCH_LIMITS: NonNullable<FetchRequest["limits"]> = {
  bytes: SOURCE_MEBIBYTES * MEBIBYTE,
  files: SOURCE_FILES,
  fileBytes: LARGEST_FILE_MEBIBYTES * MEBIBYTE,
  memoryBytes: FETCH_MEBIBYTES * MEBIBYTE,
};

/** Memory of all that may be under way at a time: 2 × 256 + 4 × 192 = 1,280. */
export const MEMORY_MEBIBYTES = RENDERINGS * RENDERING_MEBIBYTES + FETCHES * FETCH_MEBIBYTES;

/** Disk of all fetches that may be under way, beside the cache: 4 × (2 × 128 + 79) = 1,340. */
export const DISK_MEBIBYTES = FETCHES *
  (2 * SOURCE_MEBIBYTES + Math.ceil(SOURCE_FILES * BLOCK_BYTES / MEBIBYTE));
