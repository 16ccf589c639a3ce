/**
 * What integration tests say about PreviewEnvironments, in the words of somebody at a terminal.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import type { ControlPlane } from "../control_plane/control_plane.ts";
import { isUnanswered } from "../control_plane/kubectl.ts";
import { waitFor, waitUntil } from "../wait.ts";

/** Who the operator is to the API server. */
export const OPERATOR = "system:serviceaccount:maquette-system:maquette";

/** A legal PreviewEnvironment. */
export function preview(
  pr: number,
  spec: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
): KubeObject {
  return {
    apiVersion: "devops.orima.com/v1",
    kind: "PreviewEnvironment",
    metadata: { name: `pr-${pr}`, namespace: "default", ...metadata },
    spec: {
      pr_number: pr,
      branch_name: `feature/${pr}`,
      image: "ghcr.io/acme/shop",
      image_tag: "v1",
      ttl_seconds: 3600,
      ...spec,
    },
  };
}

/** kubectl with JSON in and out. */
export class Terminal {
  readonly plane: ControlPlane;

  constructor(plane: ControlPlane) {
    this.plane = plane;
  }

  /** `kubectl create -f -` of one or many objects. */
  async create(...objects: unknown[]): Promise<void> {
    const made = await this.plane.kubectl(["create", "-f", "-"], { stdin: listOf(objects), check: false });
    if (made.code === 0) return;
    // One of many that admission had no time for on a busy machine is asked again, as kubectl.ts does with one alone.
    const left = (objects as KubeObject[]).filter(({ metadata }) => !made.stdout.includes(`/${metadata.name} created`));
    const problems = made.stderr.split("\n").filter((line) => line.startsWith("Error"));
    const canBeAsked = made.stdout !== "" && left.length === problems.length && problems.every(isUnanswered);
    if (!canBeAsked) throw new Error(made.stderr.trim());
    await this.create(...left);
  }

  /** `kubectl apply -f -`. @returns Standard output and error. */
  async apply(...objects: unknown[]): Promise<string> {
    const { stdout, stderr } = await this.plane.kubectl(["apply", "-f", "-"], { stdin: listOf(objects) });
    return stdout + stderr;
  }

  /** What `kubectl create` says when it is refused. @throws {Error} When it is not. */
  async refusal(object: unknown): Promise<string> {
    const { code, stdout, stderr } = await this.plane.kubectl(["create", "-f", "-"], {
      stdin: JSON.stringify(object),
      check: false,
    });
    if (code === 0) throw new Error(`Was not refused: ${stdout}`);
    return stderr;
  }

  /** The object, or nothing when there is none. */
  async get(kind: string, name: string, namespace = "default"): Promise<KubeObject | undefined> {
    const { code, stdout, stderr } = await this.plane.kubectl(["get", kind, name, "-n", namespace, "-o", "json"], {
      check: false,
    });
    if (code === 0) return JSON.parse(stdout);
    if (stderr.includes("NotFound")) return undefined;
    throw new Error(stderr);
  }

  async list(kind: string, ...args: string[]): Promise<KubeObject[]> {
    return JSON.parse((await this.plane.kubectl(["get", kind, "-o", "json", ...args])).stdout).items;
  }

  /** Waits until a list has nothing in it. */
  async untilNone(kind: string, ...args: string[]): Promise<void> {
    await waitUntil(
      `no ${kind} to be left`,
      async () => (await this.list(kind, ...args)).map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      (left) => left.length === 0,
    );
  }

  /** Merge patch. */
  async patch(kind: string, name: string, patch: unknown, namespace = "default"): Promise<void> {
    await this.plane.kubectl(["patch", kind, name, "-n", namespace, "--type=merge", "-p", JSON.stringify(patch)]);
  }

  async remove(kind: string, name: string, namespace = "default", ...args: string[]): Promise<void> {
    await this.plane.kubectl(["delete", kind, name, "-n", namespace, ...args]);
  }

  /** Waits until a PreviewEnvironment is in a phase at its present generation. */
  async untilPhase(name: string, phase: string, timeoutMs = 60_000): Promise<KubeObject> {
    const found = await waitUntil(
      `prenv ${name} to be ${phase}`,
      () => this.get("prenv", name),
      (object) => object?.status?.phase === phase && object.status.observedGeneration === object.metadata.generation,
      timeoutMs,
    );
    return found!;
  }

  /** Waits until the condition Ready has a reason. */
  async untilReason(name: string, reason: string, timeoutMs = 60_000): Promise<KubeObject> {
    const found = await waitUntil(
      `prenv ${name} to say ${reason}`,
      () => this.get("prenv", name),
      (object) => condition(object, "Ready")?.reason === reason,
      timeoutMs,
    );
    return found!;
  }

  async untilGone(kind: string, name: string, namespace = "default", timeoutMs = 60_000): Promise<void> {
    await waitFor(
      `${kind} ${name} to be gone`,
      async () => (await this.get(kind, name, namespace)) === undefined,
      timeoutMs,
    );
  }

  /** Reasons of the Events about an object. */
  async eventReasons(name: string): Promise<string[]> {
    const events = await this.list("events", "--field-selector", `involvedObject.name=${name}`);
    return events.map((event) => event.reason);
  }
}

/** A condition of an object's status. */
export function condition(
  object: KubeObject | undefined,
  type: string,
): { status: string; reason: string; message: string } | undefined {
  return object?.status?.conditions?.find((candidate: { type: string }) => candidate.type === type);
}

function listOf(objects: unknown[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
}
