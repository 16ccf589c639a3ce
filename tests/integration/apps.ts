/**
 * What integration tests say about PortfolioApps: somebody at a terminal, in a namespace of the team.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import type { ControlPlane } from "../control_plane/control_plane.ts";
import { waitUntil } from "../wait.ts";
import { condition, Terminal } from "./previews.ts";

/** Where the applications live. */
export const TEAM = "team";

/** A legal PortfolioApp. */
export function app(
  name: string,
  spec: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
): KubeObject {
  return {
    apiVersion: "portfolio.example.com/v1alpha1",
    kind: "PortfolioApp",
    metadata: { name, namespace: TEAM, ...metadata },
    spec: { image: "ghcr.io/acme/shop", version: "v1", ...spec },
  };
}

/** A claim of a volume for one node. */
export function claim(name: string, namespace = TEAM): KubeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  };
}

/** A Secret with these texts. */
export function secret(name: string, stringData: Record<string, string>, namespace = TEAM): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, stringData };
}

/** kubectl, in the team's namespace. */
export class AppTerminal extends Terminal {
  static async open(plane: ControlPlane): Promise<AppTerminal> {
    await plane.kubectl(["create", "namespace", TEAM]);
    return new AppTerminal(plane);
  }

  async app(name: string): Promise<KubeObject | undefined> {
    return await this.get("papp", name, TEAM);
  }

  async child(kind: string, name: string): Promise<KubeObject | undefined> {
    return await this.get(kind, name, TEAM);
  }

  /** Merge patch of a spec. */
  async change(name: string, spec: Record<string, unknown>): Promise<void> {
    await this.patch("papp", name, { spec }, TEAM);
  }

  /** Waits until an application is as it is wanted at its present generation. */
  async untilApp(
    name: string,
    what: string,
    accept: (app: KubeObject) => boolean,
    timeoutMs = 60_000,
  ): Promise<KubeObject> {
    const found = await waitUntil(
      `papp ${name} ${what}`,
      () => this.app(name),
      (object) => object?.status?.observedGeneration === object?.metadata.generation && !!object && accept(object),
      timeoutMs,
    );
    return found!;
  }

  async untilAppPhase(name: string, phase: string, timeoutMs?: number): Promise<KubeObject> {
    return await this.untilApp(name, `to be ${phase}`, ({ status }) => status.phase === phase, timeoutMs);
  }

  async untilAppReason(name: string, reason: string, timeoutMs?: number): Promise<KubeObject> {
    return await this.untilApp(
      name,
      `to say ${reason}`,
      (object) => condition(object, "Ready")?.reason === reason,
      timeoutMs,
    );
  }

  /** Waits until an application is stalled for a reason and in these words: a log may be there at the second look only. */
  async untilAppStalled(name: string, reason: string, words: RegExp): Promise<KubeObject> {
    const isTold = (object: KubeObject): boolean => {
      const stalled = condition(object, "Stalled");
      return stalled?.reason === reason && words.test(stalled.message);
    };
    return await this.untilApp(name, `to say ${reason}: ${words}`, isTold, 90_000);
  }

  /** Waits until a child exists and is as it is wanted. */
  async untilChild(
    [kind, name]: [kind: string, name: string],
    what: string,
    accept: (child: KubeObject) => boolean,
  ): Promise<KubeObject> {
    const found = await waitUntil(
      `${kind} ${name} ${what}`,
      () => this.child(kind, name),
      (child) => !!child && accept(child),
    );
    return found!;
  }

  async untilNoChild(kind: string, name: string): Promise<void> {
    await this.untilGone(kind, name, TEAM);
  }
}
