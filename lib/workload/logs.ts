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

/** Reads logs and remembers the latest of them. */
export class LogReader {
  readonly #texts = new Map<string, string>();

  /** The last lines of the log that explains a failure; `""` where there is none or it cannot be read. */
  async tail(failure: PodFailure, kube: Pick<KubeClient, "logs">): Promise<string> {
    const { pod, container, log } = failure;
    if (!log) return "";
    const options = { container, previous: log.previous, tailLines: TAIL_LINES, limitBytes: 64 * LOG_BYTES };
    const { uid } = pod.metadata;
    // The run of a container: while it is down it is the current log, after its restart the previous one.
    const run = log.previous ? log.restarts : log.restarts + 1;
    return await this.#once(`${uid}/${container}/${run}`, async () => lastBytes(await read(pod, options, kube)));
  }

  /** The first KiB of a finished container's log; `""` where it cannot be read. */
  async head(
    pod: { metadata: { namespace?: string; name: string; uid?: string } },
    container: string,
    kube: Pick<KubeClient, "logs">,
  ): Promise<string> {
    const options = { container, limitBytes: LOG_BYTES };
    return await this.#once(
      `${pod.metadata.uid}/${container}/head`,
      async () => wholeCharacters(await read(pod, options, kube)),
    );
  }

  async #once(key: string, fetchText: () => Promise<string>): Promise<string> {
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    let text: string;
    try {
      text = await fetchText();
    } catch {
      // The node is away, or the container is gone: the condition says the rest. Asked again at the next look.
      return "";
    }
    this.#texts.set(key, text);
    if (this.#texts.size > REMEMBERED) this.#texts.delete(this.#texts.keys().next().value!);
    return text;
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
  if (bytes.length <= LOG_BYTES) return text.trimEnd();
  // A cut inside a character shows as replacement characters at the front: drop them.
  return new TextDecoder().decode(bytes.slice(bytes.length - LOG_BYTES)).replace(/^\uFFFD+/, "");
}

/** The API server cuts at a byte, which may be inside a character. */
function wholeCharacters(text: string): string {
  return text.replace(/\uFFFD+$/, "");
}
