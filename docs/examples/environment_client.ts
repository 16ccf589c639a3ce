/**
 * A client of Environments, as a web application or a bot would be: it makes one for a commit, follows its status, and
 * deletes it. Plain `fetch`, no library; the contract is docs/environments.md.
 *
 * @module
 */

const GROUP = "apis/catalyst.catalyst.dev/v1alpha1";

/** What is asked for. */
export interface Wanted {
  name: string;
  namespace: string;
  project: string;
  commitSha: string;
  prNumber?: number;
}

/** What a client reads of an Environment. */
export interface Environment {
  metadata: { name: string; generation: number };
  status?: {
    phase?: string;
    observedGeneration?: number;
    url?: string;
    commit?: string;
    conditions?: { type: string; status: string; reason: string; message: string }[];
  };
}

/** The API server refused: `status` as in HTTP, and its words, which name every wrong field. */
export class Refused extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** Sends one request with credentials: the path below the API server, method and body. */
export type Send = (path: string, init?: RequestInit) => Promise<Response>;

/** See the module. */
export class EnvironmentClient {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /** Makes the environment, or brings one of that name to this commit. @throws {Refused} */
  async apply({ name, namespace, project, commitSha, prNumber }: Wanted): Promise<Environment> {
    const environment = {
      apiVersion: "catalyst.catalyst.dev/v1alpha1",
      kind: "Environment",
      metadata: { name, namespace },
      spec: { projectRef: { name: project }, type: "development", source: { commitSha, prNumber } },
    };
    return await this.#json(`${pathOf(namespace, name)}?fieldManager=environment-client&force=true`, {
      method: "PATCH",
      headers: { "content-type": "application/apply-patch+yaml" },
      body: JSON.stringify(environment),
    });
  }

  /**
   * Looks until the environment is Ready or needs somebody.
   *
   * @param options.every Milliseconds between two looks. @param options.tell Told of each phase and why, once.
   * @returns It as it was at the end. @throws {Refused} 404 when it is gone.
   */
  async settled(
    { name, namespace }: Pick<Wanted, "name" | "namespace">,
    options: { every: number; signal: AbortSignal; tell?: (text: string) => void },
  ): Promise<Environment> {
    for (let said = "";;) {
      const environment = await this.#json(pathOf(namespace, name), { signal: options.signal });
      const text = summaryOf(environment);
      if (text !== said) options.tell?.(text);
      said = text;
      if (isSettled(environment)) return environment;
      await new Promise((resolve) => setTimeout(resolve, options.every));
    }
  }

  /** Asks for the deletion, which takes some seconds: {@link settled} throws 404 when it is over. */
  async delete({ name, namespace }: Pick<Wanted, "name" | "namespace">): Promise<void> {
    await this.#json(pathOf(namespace, name), { method: "DELETE" });
  }

  async #json(path: string, init: RequestInit): Promise<Environment> {
    const response = await this.#send(path, init);
    const body = await response.json();
    if (!response.ok) throw new Refused(response.status, body.message);
    return body;
  }
}

/** Whether nothing more happens by itself. A status of an older generation says nothing about what was asked for. */
export function isSettled({ metadata, status }: Environment): boolean {
  if (status?.observedGeneration !== metadata.generation) return false;
  return isTrue("Ready", status) || isTrue("Stalled", status);
}

/** `Deploying (Progressing): Deployment "web" …` */
export function summaryOf({ status }: Environment): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return `${status?.phase ?? "Pending"}${ready ? ` (${ready.reason}): ${ready.message}` : ""}`;
}

function isTrue(type: string, status: NonNullable<Environment["status"]>): boolean {
  return status.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
}

function pathOf(namespace: string, name: string): string {
  return `${GROUP}/namespaces/${encodeURIComponent(namespace)}/environments/${encodeURIComponent(name)}`;
}
