/**
 * Doing many things with so many under way at once.
 *
 * @module
 */

/** Works on all items, in their order, never more than `concurrency` at once. @throws What the first work throws. */
export async function inParallel<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}
