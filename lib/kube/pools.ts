/**
 * Connections to one API server.
 *
 * @module
 */
import type { Credentials } from "./credentials.ts";

/** Watches have connections of their own. */
export interface Pools {
  readonly requests: Deno.HttpClient;
  readonly watches: Deno.HttpClient;
}

/** Pools without a connection yet. Whoever makes them closes them. */
export function createPools(credentials: Credentials): Pools {
  return { requests: createPool(credentials), watches: createPool(credentials) };
}

function createPool(credentials: Credentials): Deno.HttpClient {
  const { ca, cert, key } = credentials;
  // HTTP/2 request bodies wait for Nagle's algorithm on Deno 2.9 (47 ms each), and a watch wants a connection of its own.
  const common = { caCerts: ca ? [ca] : [], http1: true, http2: false };
  return cert && key ? Deno.createHttpClient({ ...common, cert, key }) : Deno.createHttpClient(common);
}
