/**
 * Asking a URL by way of the ingress controller, wherever its host name would lead.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Settings } from "./settings.ts";

/** What came back. */
export interface Answer {
  status: number;
  text: string;
  /** Of the certificate that was served, with HTTPS. */
  certificate?: { subject: string; names: string; issuer: string };
}

const TIMEOUT_MS = 10_000;

/**
 * GET; with a body POST, or the method that is named.
 *
 * @param options.ca PEM of the only authority to trust, for https URLs
 * @throws {Error} When nothing answers, or its certificate is not good for the host.
 */
export function ask(
  url: string,
  options: { settings: Pick<Settings, "http" | "https">; ca?: string; body?: string; method?: string },
): Promise<Answer> {
  const { protocol, hostname, pathname, search } = new URL(url);
  const isTls = protocol === "https:";
  const { hostname: host, port } = isTls ? options.settings.https : options.settings.http;
  const { body, method = body === undefined ? "GET" : "POST" } = options;
  const common = { host, port, method, path: pathname + search, headers: { host: hostname }, agent: false as const };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = isTls
    ? httpsRequest({ ...common, servername: hostname, ca: options.ca, rejectUnauthorized: true })
    : httpRequest(common);
  request.setTimeout(TIMEOUT_MS, () => request.destroy(new Error(`No answer from ${url} within ${TIMEOUT_MS} ms`)));
  request.on("error", reject);
  request.on("response", (response) => {
    const certificate = isTls ? certificateOf(response.socket as TLSSocket) : undefined;
    const chunks: Uint8Array[] = [];
    response.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    response.on("error", reject);
    response.on(
      "end",
      () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString().trim(), certificate }),
    );
  });
  request.end(body);
  return promise;
}

function certificateOf(socket: TLSSocket): Answer["certificate"] {
  const { subject, subjectaltname = "", issuer } = socket.getPeerCertificate();
  return { subject: subject?.CN ?? "", names: subjectaltname, issuer: issuer?.CN ?? "" };
}
