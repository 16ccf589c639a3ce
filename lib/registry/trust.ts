/**
 * TLS to registries whose certificates are signed by an authority of one's own.
 *
 * @module
 */

/** `fetch` with more authorities, until it is closed. */
export interface TrustingFetch extends Disposable {
  fetch: typeof fetch;
}

/**
 * A `fetch` that trusts these authorities beside those of the system.
 *
 * @param caCerts authorities in PEM; each text may hold several
 * @throws Error when one cannot be read
 */
export function trustingFetch(caCerts: readonly string[]): TrustingFetch {
  const client = Deno.createHttpClient({ caCerts: [...caCerts] });
  return {
    fetch: (input: URL | RequestInfo, init?: RequestInit): Promise<Response> => fetch(input, { ...init, client }),
    [Symbol.dispose]: (): void => client.close(),
  };
}
