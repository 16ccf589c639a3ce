/**
 * Admission of the kind PortfolioApp (SPEC section 6). Pure.
 *
 * @module
 */
import { PORTFOLIO_APP } from "../../lib/api/portfolio_app.ts";
import { compareQuantities, isQuantity } from "../../lib/api/quantity.ts";
import { isObject } from "../../lib/api/schema.ts";
import type { Problem } from "../../lib/api/validate.ts";
import { appChild, appHost } from "../../lib/portfolio_names.ts";
import { type AdmissionContext, type AdmissionRules, type Change, isFieldChanged, specOf } from "./admission_rules.ts";
import { hostProblems } from "./hosts.ts";
import { IMAGE_AND_VERSION } from "./images.ts";
import { pauseWarnings, portWarnings, withFinalizer } from "./shared.ts";

/** The API server takes a MiB of object, and keys, names and marks take their part of it. */
const MAX_CONFIG_BYTES = 1_000_000;

/** The rules. */
export const PORTFOLIO_APP_RULES: AdmissionRules = {
  kind: PORTFOLIO_APP,
  mutate: ({ object, old }) => ({ object: old === undefined ? withFinalizer(object) : object, warnings: [] }),
  specProblems: (change, context) => [
    ...IMAGE_AND_VERSION.problems(change, context),
    ...ingressProblems(change, context),
    ...storageProblems(change),
    ...configProblems(change),
    ...backupProblems(change),
  ],
  metadataProblems: () => [],
  warnings: (change) => [
    ...IMAGE_AND_VERSION.warnings(change),
    ...portWarnings(change),
    ...storageWarnings(change),
    ...backupWarnings(change),
    ...pauseWarnings(change),
  ],
  newImages: IMAGE_AND_VERSION.newImages,
};

function ingressProblems(change: Change, context: AdmissionContext): Problem[] {
  const { object } = change;
  const { ingress } = specOf(object);
  if (!isObject(ingress) || ingress.enabled !== true || !isFieldChanged(change, "ingress")) return [];
  if ((ingress.host ?? undefined) !== undefined && typeof ingress.host !== "string") return [];
  const app = { metadata: object.metadata, spec: { ingress: { ...ingress, host: ingress.host as string } } };
  const names = [appHost(app, context.config.domain)!];
  return hostProblems({ names, field: "spec.ingress.host" }, change, context);
}

function storageProblems({ object, old }: Change): Problem[] {
  const [storage, before] = [specOf(object).storage, specOf(old).storage];
  if (!isObject(storage) || !isObject(before) || !isQuantity(storage.size) || !isQuantity(before.size)) return [];
  if (compareQuantities(storage.size, before.size) >= 0) return [];
  return [{ field: "spec.storage.size", message: `Must be at least ${before.size}: a volume never shrinks` }];
}

function configProblems({ object }: Change): Problem[] {
  const { config } = specOf(object);
  if (!isObject(config)) return [];
  const bytes = new TextEncoder().encode(JSON.stringify(config)).length;
  if (bytes <= MAX_CONFIG_BYTES) return [];
  return [{ field: "spec.config", message: `Must have at most ${MAX_CONFIG_BYTES} bytes as JSON, and has ${bytes}` }];
}

/** What goes with the volume is no backup of it. */
function backupProblems({ object }: Change): Problem[] {
  const { backup } = specOf(object);
  if (!isObject(backup) || backup.tool !== "volume" || !isObject(backup.destination)) return [];
  const { pvc } = backup.destination;
  if (!isObject(pvc) || pvc.claimName !== appChild(object, "data")) return [];
  const message = `Must be another claim than the application's own: "${pvc.claimName}"`;
  return [{ field: "spec.backup.destination.pvc.claimName", message }];
}

function backupWarnings(change: Change): string[] {
  const { storage, backup } = specOf(change.object);
  const isBare = isObject(backup) && backup.tool === "volume" && !isObject(storage);
  if (!isBare || isObject(specOf(change.old).storage) || !isFieldChanged(change, "backup")) return [];
  return ["spec.backup.tool: The application has no volume: nothing is saved"];
}

function storageWarnings(change: Change): string[] {
  const { storage, replicas, backup, autoscaling } = specOf(change.object);
  const before = specOf(change.old).storage;
  if (!isObject(storage)) {
    return isObject(before) ? ["spec.storage: The volume is kept until the application is deleted"] : [];
  }
  const modes = storage.accessModes;
  const isShared = Array.isArray(modes) && modes.includes("ReadWriteMany");
  const isAlone = Array.isArray(modes) && modes.includes("ReadWriteOncePod");
  const isMany = isObject(autoscaling) || (typeof replicas === "number" && replicas > 1);
  const isNew = isFieldChanged(change, "storage", "replicas", "autoscaling", "backup");
  return [
    ...(isNew && isAlone
      ? ["spec.storage.accessModes: With ReadWriteOncePod one Pod runs at a time, and none while a version changes"]
      : []),
    ...(isNew && isMany && !isShared && !isAlone
      ? ["spec.storage.accessModes: Without ReadWriteMany all Pods run on the node that has the volume"]
      : []),
    ...(isNew && !(isObject(backup) && backup.tool === "volume")
      ? ["spec.backup: Nothing saves the volume: it is kept when the application is deleted"]
      : []),
  ];
}
