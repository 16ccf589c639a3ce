/**
 * Reading the API server's audit log: who asked for what.
 *
 * @module
 */

/** One request, as the audit log has it. */
export interface Request {
  verb: string;
  /** Path and query. */
  uri: string;
  user: string;
  /** Which process: the operator names itself there. */
  userAgent: string;
  code: number;
  /** When it was received; milliseconds since the epoch. */
  at: number;
}

const WRITES = new Set(["create", "update", "patch", "delete", "deletecollection"]);

/** A place in the log, to read from later. */
export async function auditMark(path: string): Promise<number> {
  return (await Deno.stat(path)).size;
}

/** Finished requests of one user since a mark. */
export async function requestsSince(path: string, mark: number, user: string): Promise<Request[]> {
  using file = await Deno.open(path);
  await file.seek(mark, Deno.SeekMode.Start);
  const text = await new Response(file.readable).text();
  // The last line may be under way.
  return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter((line) => line !== "").map(requestOf)
    .filter((request) => request.user === user);
}

function requestOf(line: string): Request {
  const event = JSON.parse(line);
  return {
    verb: event.verb,
    uri: event.requestURI,
    user: event.user?.username ?? "",
    userAgent: event.userAgent ?? "",
    code: event.responseStatus?.code ?? 0,
    at: Date.parse(event.requestReceivedTimestamp),
  };
}

/** Requests that change something; those of the election are expected and left out. */
export function writes(requests: readonly Request[]): Request[] {
  return requests.filter((request) => WRITES.has(request.verb) && !isOfElection(request));
}

/** Requests other than watches, lists and those of the election. */
export function beyondWatching(requests: readonly Request[]): Request[] {
  return requests.filter((request) => request.verb !== "watch" && request.verb !== "list" && !isOfElection(request));
}

/** The lease, and who leads: said once, on the operator's Namespace. */
function isOfElection({ uri }: Request): boolean {
  return /\/leases\/|\/namespaces\/maquette-system(\?|$)/.test(uri);
}

/** Whether the API server did what it was asked for. */
export function isAccepted({ code }: Request): boolean {
  return code >= 200 && code < 300;
}

/** A request in few words. */
export function brief({ verb, uri, code }: Request): string {
  return `${verb} ${uri} ${code}`;
}
