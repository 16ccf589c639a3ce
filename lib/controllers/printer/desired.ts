/**
 * What one Printer asks the cluster for: a Pod, or a Job. Pure: the same spec gives the same object.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { KubeObject } from "../../api/object.ts";
import type { Printer } from "../../api/printer.ts";
import { digestOf } from "../../runtime/differs.ts";
import { ownerLabels } from "../../runtime/ownership.ts";
import { literal } from "../../workload/literal.ts";
import type { PrinterSettings } from "./settings.ts";

/** Name of the container that prints. */
export const CONTAINER = "printer";
/** Digest of what a person asked for: a Pod of another request is replaced, whatever became of it. */
export const REQUEST_LABEL = "maquette.dev/request";
/** Digest of the Pod's spec, the operator's own part included: a Pod of another one is replaced while it has not started. */
export const TEMPLATE_LABEL = "maquette.dev/template";

/** Pod names may be longer, but not those of Jobs, host names and the folders of logs. */
const LONGEST_NAME = 63;
const KEPT_LENGTH = 57;
const HASH_LENGTH = 5;
/** `nobody`: images of the kind of busybox name no user, and root is refused. */
const NOBODY = 65_534;
const RETRIES = 2;

/** Name of the Pod or Job: the Printer's own; what is longer than 63 characters is cut and gets a hash. */
export function childName(owner: { metadata: { name: string } }): string {
  const { name } = owner.metadata;
  if (name.length <= LONGEST_NAME) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_LENGTH);
  return `${name.slice(0, KEPT_LENGTH).replace(/[-.]+$/, "")}-${hash}`;
}

/** Digest of what is to be printed and how; the operator's own choices are no part of it, so that they print nothing again. */
export function requestDigest({ textToPrint, mode, image }: Printer["spec"]): string {
  return digestOf({ textToPrint, mode, image });
}

/** The image that prints. */
export function imageOf({ spec }: Printer, settings: PrinterSettings): string {
  return spec.image ?? settings.image;
}

/** The Pod or Job. */
export function desiredChild(owner: Printer, settings: PrinterSettings): KubeObject {
  const spec = podSpec(owner, settings);
  const child = desiredMarks(owner);
  const labels = { ...child.metadata.labels, [TEMPLATE_LABEL]: digestOf(spec) };
  const marked = { ...child, metadata: { ...child.metadata, labels } };
  return owner.spec.mode === "Job" ? { ...marked, spec: jobSpec(owner, spec) } : { ...marked, spec };
}

/**
 * The part of the child that can be set back by hand or by us. The rest never changes once it exists, and what
 * admission made of it (another registry, other resources) is not ours to undo.
 */
export function desiredMarks(owner: Printer): KubeObject {
  const { namespace } = owner.metadata;
  const labels = { [REQUEST_LABEL]: requestDigest(owner.spec) };
  const [apiVersion, kind] = owner.spec.mode === "Job" ? ["batch/v1", "Job"] : ["v1", "Pod"];
  return { apiVersion, kind, metadata: { name: childName(owner), namespace, labels } };
}

function podSpec(owner: Printer, settings: PrinterSettings): Record<string, unknown> {
  return {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 5,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: NOBODY,
      runAsGroup: NOBODY,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [{
      name: CONTAINER,
      image: imageOf(owner, settings),
      command: printCommand(owner.spec.textToPrint),
      resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "100m", memory: "32Mi" } },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
    }],
  };
}

/**
 * A command that prints a text as it stands, and a newline. No shell reads it; behind its format `printf` takes nothing
 * for an option. The kubelet would put variables in the place of `$(NAME)`, so every `$` is doubled; it undoes that
 * before the program starts, so Linux's limit of 128 KiB for one argument is about the text itself.
 */
export function printCommand(text: string): string[] {
  return ["printf", "%s\\n", literal(text)];
}

function jobSpec(owner: Printer, spec: Record<string, unknown>): Record<string, unknown> {
  return { backoffLimit: RETRIES, template: { metadata: { labels: ownerLabels(owner) }, spec } };
}
