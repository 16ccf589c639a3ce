/**
 * Ending an iteration from outside.
 *
 * @module
 */

/**
 * Events until the signal, whatever the connection does: a body that is read while it is aborted was seen to be waited
 * for without end, and a watch must never be.
 */
export async function* untilAborted<T>(events: AsyncGenerator<T>, signal: AbortSignal): AsyncGenerator<T> {
  let stopWaiting = (): void => {};
  const onAbort = (): void => stopWaiting();
  signal.addEventListener("abort", onAbort);
  try {
    while (!signal.aborted) {
      const next = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
        stopWaiting = () => resolve(undefined);
        events.next().then(resolve, reject);
      });
      if (next === undefined || next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Not waited for: it ends when the connection does.
    events.return(undefined).catch(() => {});
  }
}
