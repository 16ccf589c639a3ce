/**
 * Carries the bytes of one connection to another, both ways, and knows nothing of what they mean.
 *
 * @module
 */

const CHUNK_BYTES = 32 * 1024;

/** Resolves when both directions have ended; both connections are closed then. Never throws. */
export async function relay(a: Deno.Conn, b: Deno.Conn): Promise<void> {
  for (const connection of [a, b]) if (isTcp(connection)) connection.setNoDelay(true);
  function end(): void {
    close(a);
    close(b);
  }
  await Promise.all([pump(a, b).catch(end), pump(b, a).catch(end)]);
  end();
}

/** Small answers must not wait for the acknowledgement of the one before. Deno sees to that for TLS itself. */
function isTcp(connection: Deno.Conn): connection is Deno.TcpConn {
  return "setNoDelay" in connection;
}

/** Closes a connection that may be closed already. */
export function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Ends with the sender's end, which it hands on: the other direction may go on for a while. */
async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let size = await from.read(buffer); size !== null; size = await from.read(buffer)) {
    for (let sent = 0; sent < size;) sent += await to.write(buffer.subarray(sent, size));
  }
  await to.closeWrite();
}
