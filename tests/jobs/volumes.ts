/**
 * A Pod's volumes as folders of this machine: ConfigMaps and Secrets written out, claims and empty folders kept.
 *
 * @module
 */
import { dirname, join } from "node:path";
import type { KubeObject } from "../../lib/api/object.ts";
import { CONFIG_MAP, SECRET } from "../../lib/api/resources.ts";
import type { KubeClient } from "../../lib/kube/client.ts";
import { hasStatus } from "../../lib/kube/errors.ts";
import type { Mount } from "./sandbox.ts";

/** What a container waits for, in the words of a kubelet. */
export class MissingSource extends Error {
  override readonly name = "MissingSource";
}

/** Where volumes come from. */
export interface VolumeSources {
  kube: Pick<KubeClient, "get">;
  /** Folder of this Pod. */
  folder: string;
  /** Folder of a claim, which outlives the Pod. */
  claim(namespace: string, name: string): Promise<string>;
  /** Bytes of room that are left in a claim, where it is full. */
  room(namespace: string, name: string): number | undefined;
}

interface Volume {
  name: string;
  configMap?: { name: string; items?: Item[]; defaultMode?: number; optional?: boolean };
  secret?: { secretName: string; items?: Item[]; defaultMode?: number; optional?: boolean };
  persistentVolumeClaim?: { claimName: string; readOnly?: boolean };
  emptyDir?: Record<string, unknown>;
  projected?: { sources: { configMap?: { name: string; items?: Item[]; optional?: boolean } }[]; defaultMode?: number };
}

interface Item {
  key: string;
  path: string;
  mode?: number;
}

/** The content of a ConfigMap or Secret by its keys. */
export type Content = Record<string, Uint8Array>;

/** A volume's folder. */
interface Place {
  folder: string;
  roomBytes?: number;
  isReadOnly?: boolean;
}

const DEFAULT_MODE = 0o644;

/** Reads a ConfigMap or Secret. @returns nothing when it is missing and may be. @throws {MissingSource} */
export async function contentOf(
  kind: "ConfigMap" | "Secret",
  at: { namespace: string; name: string; optional?: boolean },
  kube: VolumeSources["kube"],
): Promise<Content | undefined> {
  try {
    const object = await kube.get(kind === "Secret" ? SECRET : CONFIG_MAP, { namespace: at.namespace, name: at.name });
    return kind === "Secret" ? decoded(object.data) : { ...encoded(object.data), ...decoded(object.binaryData) };
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
    if (at.optional) return undefined;
    throw new MissingSource(`${kind.toLowerCase()} "${at.name}" not found`);
  }
}

function encoded(data: Record<string, string> = {}): Content {
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, new TextEncoder().encode(text)]));
}

function decoded(data: Record<string, string> = {}): Content {
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, new Uint8Array(bytesOf(text))]));
}

function bytesOf(base64: string): number[] {
  return [...atob(base64)].map((letter) => letter.charCodeAt(0));
}

/** Makes the folders of all volumes. @throws {MissingSource} @throws {Error} for a kind of volume that is not played. */
export async function makeVolumes(pod: KubeObject, sources: VolumeSources): Promise<Map<string, Place>> {
  const places = new Map<string, Place>();
  for (const volume of (pod.spec.volumes ?? []) as Volume[]) {
    // Its own token: nothing that runs here talks to the API server.
    if (volume.name.startsWith("kube-api-access-")) continue;
    places.set(volume.name, await makeVolume(volume, pod, sources));
  }
  return places;
}

async function makeVolume(volume: Volume, pod: KubeObject, sources: VolumeSources): Promise<Place> {
  const { namespace = "default" } = pod.metadata;
  const { configMap, secret, persistentVolumeClaim: claim, emptyDir, projected } = volume;
  if (claim) {
    const folder = await sources.claim(namespace, claim.claimName);
    await openTo(folder, pod.spec.securityContext?.fsGroup);
    return { folder, isReadOnly: claim.readOnly, roomBytes: sources.room(namespace, claim.claimName) };
  }
  const folder = join(sources.folder, "volumes", volume.name);
  await Deno.mkdir(folder, { recursive: true });
  if (emptyDir) await Deno.chmod(folder, 0o777);
  else if (projected) {
    for (const { configMap: part } of projected.sources) {
      const { defaultMode } = projected;
      await write(
        folder,
        { ...part, defaultMode },
        await contentOf("ConfigMap", { ...part!, namespace }, sources.kube),
      );
    }
  } else if (configMap) {
    await write(folder, configMap, await contentOf("ConfigMap", { ...configMap, namespace }, sources.kube));
  } else if (secret) {
    const at = { namespace, name: secret.secretName, optional: secret.optional };
    await write(folder, secret, await contentOf("Secret", at, sources.kube));
  } else throw new Error(`Cannot play volume "${volume.name}": ${Object.keys(volume).join(", ")}`);
  return { folder, isReadOnly: emptyDir === undefined };
}

/** As a kubelet does with `fsGroup`. */
async function openTo(folder: string, group: number | undefined): Promise<void> {
  if (group === undefined || Deno.uid() !== 0) return;
  const script = 'chgrp -R "$1" "$2"; chmod -R g+rwX "$2"; find "$2" -type d -exec chmod g+s {} +';
  await new Deno.Command("sh", { args: ["-ec", script, "sh", String(group), folder] }).output();
}

async function write(
  folder: string,
  { items, defaultMode = DEFAULT_MODE }: { items?: Item[]; defaultMode?: number },
  content: Content = {},
): Promise<void> {
  const files = items ?? Object.keys(content).map((key): Item => ({ key, path: key }));
  for (const { key, path, mode = defaultMode } of files) {
    const bytes = content[key];
    if (!bytes) throw new MissingSource(`references non-existent config key: ${key}`);
    const target = join(folder, path);
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.writeFile(target, bytes);
    await Deno.chmod(target, mode);
  }
}

/** What a container's `volumeMounts` are, outer ones first. */
export async function mountsOf(
  container: { volumeMounts?: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }[] },
  places: ReadonlyMap<string, Place>,
): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const { name, mountPath, subPath, readOnly } of container.volumeMounts ?? []) {
    const place = places.get(name);
    if (!place) continue;
    const source = subPath ? join(place.folder, subPath) : place.folder;
    if (subPath && !await exists(source)) await Deno.mkdir(source, { recursive: true, mode: 0o777 });
    const { roomBytes } = place;
    mounts.push({ source, path: mountPath, isReadOnly: readOnly || place.isReadOnly, roomBytes });
  }
  return mounts.sort((a, b) => a.path.length - b.path.length);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
