/**
 * Ends and beginnings of container logs, for conditions: read once for each run of a container.
 *
 * @module
 */
import type { KubeClient } from "../kube/client.ts";
import type { PodFailure } from "./pod_failure.ts";

/** Most bytes of a log in a condition. */
export const LOG_BYTES = 1024;
const REMEMBERED = 500;
const TAIL_LINES = 20;
/** Kubelets keep lines in pieces of 16 KiB and cut behind the first bytes: this holds all lines of a tail. */
const TAIL_BYTES = TAIL_LINES * 17 * 1024;

/** What went wrong, and the end of a log, where there is one. */
export function withLog(message: string, log: string): string {
  return log ? `${message}; the last lines of its log:\n${log}` : message;
}

/** Reads logs and remembers the latest of them. */
export class LogReader {
  readonly #texts = new Map<string, string>();

  /** The last lines of the log that explains a failure; `""` where there is none or it cannot be read. */
  async tail(failure: PodFailure, kube: Pick<KubeClient, "logs">): Promise<string> {
    const { pod, container, log } = failure;
    if (!log) return "";
    const options = { container, previous: log.previous, tailLines: TAIL_LINES, limitBytes: TAIL_BYTES };
    return await this.#once(`${pod.metadata.uid}/${container}/${log.run}`, {
      read: async () => lastBytes(await read(pod, options, kube)),
      // The current log may be that of the next run already, which has not said anything yet.
      mayBeEmpty: log.previous || pod.spec?.restartPolicy === "Never",
    });
  }

  /** The first KiB of a finished container's log; `""` where it cannot be read. */
  async head(
    pod: { metadata: { namespace?: string; name: string; uid?: string } },
    container: string,
    kube: Pick<KubeClient, "logs">,
  ): Promise<string> {
    const options = { container, limitBytes: LOG_BYTES };
    return await this.#once(`${pod.metadata.uid}/${container}/head`, {
      read: async () => firstBytes(await read(pod, options, kube)),
      mayBeEmpty: true,
    });
  }

  async #once(key: string, text: { read: () => Promise<string>; mayBeEmpty: boolean }): Promise<string> {
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    let found: string;
    try {
      found = await text.read();
    } catch {
      // The node is away, or the container is gone: the condition says the rest. Asked again at the next look.
      return "";
    }
    if (found === "" && !text.mayBeEmpty) return "";
    this.#texts.set(key, found);
    if (this.#texts.size > REMEMBERED) this.#texts.delete(this.#texts.keys().next().value!);
    return found;
  }
}

async function read(
  pod: { metadata: { namespace?: string; name: string } },
  options: Parameters<KubeClient["logs"]>[1],
  kube: Pick<KubeClient, "logs">,
): Promise<string> {
  return await kube.logs({ namespace: pod.metadata.namespace ?? "default", name: pod.metadata.name }, options);
}

function lastBytes(text: string): string {
  const bytes = new TextEncoder().encode(text.trimEnd());
  // A cut inside a character shows as replacement characters at the front: drop them.
  return bytes.length <= LOG_BYTES
    ? text.trimEnd()
    : new TextDecoder().decode(bytes.slice(-LOG_BYTES)).replace(/^\uFFFD+/, "");
}

/** The API server cuts at a byte, which may be inside a character; bytes that are no UTF-8 have become longer. */
function firstBytes(text: string): string {
  const bytes = new TextEncoder().encode(text).slice(0, LOG_BYTES);
  return new TextDecoder().decode(bytes).replace(/\uFFFD+$/, "");
}
