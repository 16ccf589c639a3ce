import { createHash } from "node:crypto";

const EMPTY_CONFIG = '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}';

/** Kinds of manifests, each with its media types. */
const TYPES = {
  oci: {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    index: "application/vnd.oci.image.index.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
  },
  docker: {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
  },
} as const;

/** Where to push, and how to get in. */
export interface Target {
  /** Scheme and host. */
  origin: string;
  repository: string;
  fetch?: typeof fetch;
  authorization?: string;
}

/** Pushes the smallest image there is. @returns Its digest. */
export async function pushImage(target: Target, tag: string, kind: keyof typeof TYPES = "oci"): Promise<string> {
  const digest = digestOf(EMPTY_CONFIG);
  const upload = await send(target, "POST", `blobs/uploads/`);
  const place = new URL(upload.headers.get("location")!, target.origin);
  place.searchParams.set("digest", digest);
  await send(target, "PUT", place.href, EMPTY_CONFIG, "application/octet-stream");
  const { manifest, config } = TYPES[kind];
  const descriptor = { mediaType: config, digest, size: EMPTY_CONFIG.length };
  return await putManifest(target, tag, { schemaVersion: 2, mediaType: manifest, config: descriptor, layers: [] });
}

/** Pushes an index of an image for two platforms. @returns Its digest. */
export async function pushIndex(target: Target, tag: string, kind: keyof typeof TYPES = "oci"): Promise<string> {
  const { manifest, index } = TYPES[kind];
  const digest = await pushImage(target, `${tag}-one`, kind);
  const size = Number((await send(target, "HEAD", `manifests/${digest}`)).headers.get("content-length"));
  const manifests = ["amd64", "arm64"].map((architecture) => (
    { mediaType: manifest, digest, size, platform: { os: "linux", architecture } }
  ));
  return await putManifest(target, tag, { schemaVersion: 2, mediaType: index, manifests });
}

async function putManifest(
  target: Target,
  tag: string,
  manifest: { mediaType: string } & Record<string, unknown>,
): Promise<string> {
  const text = JSON.stringify(manifest);
  await send(target, "PUT", `manifests/${tag}`, text, manifest.mediaType);
  return digestOf(text);
}

async function send(target: Target, method: string, path: string, body?: string, type?: string): Promise<Response> {
  const headers = new Headers({
    accept: Object.values(TYPES).flatMap(({ manifest, index }) => [manifest, index]).join(),
  });
  if (type) headers.set("content-type", type);
  if (target.authorization) headers.set("authorization", target.authorization);
  const url = new URL(path, `${target.origin}/v2/${target.repository}/`);
  const response = await (target.fetch ?? fetch)(url, { method, body, headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text}`);
  return response;
}

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
