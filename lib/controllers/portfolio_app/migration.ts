/**
 * How an application and the schema of its database change together without an outage: `expand` changes are applied
 * before a version rolls, `contract` changes after that rollout. Pure.
 *
 * The two kinds meet through the API server. The DatabaseMigration says in its condition `Expanded` whether everything
 * that comes before a rollout is applied, and waits with the rest until its annotation names its generation. The
 * application sets that annotation, and nothing else of it, when a rollout that began with this very generation is
 * complete: which one it began with is written on the Deployment. So neither a version that rolled out earlier, nor one
 * that fails, nor one whose last old Pod still ends lets go of what an older version needs.
 *
 * @module
 */
import { EXPANDED, WAITING_FOR_ROLLOUT } from "../../api/database_migration.ts";
import { ANNOTATION_CONTRACT_APPROVED } from "../../api/names.ts";
import type { Condition, KubeObject } from "../../api/object.ts";
import type { Finding, Report } from "../../runtime/status.ts";
import { type PodTemplate, TEMPLATE_LABEL } from "../../workload/pod_template.ts";
import { hadBeenRunning } from "./checks.ts";
import type { Peer, Seen } from "./gather.ts";
import { fullImage } from "./pod.ts";

/** On the Deployment: `<uid>/<generation>` of the DatabaseMigration that the present rollout began with. */
export const MIGRATION_ANNOTATION = "maquette.dev/migration";
/** On the Deployment: the same of the version that was rolled out completely before the present rollout began. */
export const SERVED_ANNOTATION = "maquette.dev/migration-of-served";

/** Whether a version may roll. */
export type Gate =
  | { isOpen: true }
  /** `report` says why it may not. */
  | { isOpen: false; report: Pick<Report, "phase" | "state" | "reason" | "message"> };

/** Pods of another template than the present one are to be made. */
export function isNewTemplate({ deployment, template }: Pick<Seen, "deployment" | "template">): boolean {
  const applied = deployment?.spec?.template?.metadata?.labels?.[TEMPLATE_LABEL];
  return applied !== template.metadata.labels[TEMPLATE_LABEL];
}

/** What rolls no Pods need not wait, nor a version that serves and whose Deployment somebody deleted. */
export function gateOf(seen: Seen): Gate {
  const { owner, migration } = seen;
  const { migrationRef } = owner.spec;
  const isLost = !seen.deployment && hadBeenRunning(seen);
  if (!migrationRef || !isNewTemplate(seen) || isLost) return { isOpen: true };
  const named = `DatabaseMigration "${migrationRef.name}"`;
  if (!migration || migration.metadata.deletionTimestamp) {
    const message = `${named} does not exist in namespace "${owner.metadata.namespace}"`;
    return closed("MigrationMissing", message, seen);
  }
  if (isExpanded(migration)) return { isOpen: true };
  const ready = currentCondition(migration, "Ready");
  if (migration.status?.phase === "Failed" && ready) {
    return closed("MigrationFailed", `${named} failed: ${ready.message}`, seen, "Failed");
  }
  return closed("Migrating", `${named} is being applied before the version rolls`, seen);
}

function closed(reason: string, message: string, { deployment }: Seen, phase = "Migrating"): Gate {
  const serving = deployment ? "; the version before keeps serving" : "";
  const state = phase === "Failed" ? "stalled" : "reconciling";
  return { isOpen: false, report: { phase, state, reason, message: `${message}${serving}` } };
}

/** Everything that comes before a rollout is applied. */
export function isExpanded(migration: KubeObject): boolean {
  return currentCondition(migration, EXPANDED)?.status === "True";
}

/** A condition that is about the present spec. */
function currentCondition({ metadata, status }: KubeObject, type: string): Condition | undefined {
  const conditions: Condition[] = status?.conditions ?? [];
  const found = conditions.find((condition) => condition.type === type);
  return found?.observedGeneration === metadata.generation ? found : undefined;
}

/**
 * Annotations of the Deployment: they change when a rollout begins, and not in its course. Going back to the version that
 * serves, or another configuration of it, begins with what that version once began with: it may still need what a later
 * generation drops.
 */
export function rolledWith(seen: Seen): Record<string, string> {
  const { owner: { spec, status }, deployment, migration } = seen;
  if (!spec.migrationRef) return {};
  const { [MIGRATION_ANNOTATION]: begun, [SERVED_ANNOTATION]: known } = deployment?.metadata.annotations ?? {};
  if (deployment && !isNewTemplate(seen)) return present({ [MIGRATION_ANNOTATION]: begun, [SERVED_ANNOTATION]: known });
  const served = deployment?.spec?.template?.spec?.containers?.[0]?.image === status?.image ? begun : known;
  const isServed = status?.image === fullImage(spec);
  const value = isServed ? served : migration && generationOf(migration);
  return present({ [MIGRATION_ANNOTATION]: value, [SERVED_ANNOTATION]: served });
}

function present(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function generationOf(migration: KubeObject): string {
  return `${migration.metadata.uid}/${revisionOf(migration)}`;
}

/** Where changes stand in a ConfigMap, no generation tells of them: the status does. */
function revisionOf({ status, metadata }: KubeObject): string {
  return status?.revision ?? String(metadata.generation);
}

/** Changes wait for a rollout, and nobody has let them go on yet. */
function isWaiting(migration: KubeObject): boolean {
  const isApproved = migration.metadata.annotations?.[ANNOTATION_CONTRACT_APPROVED] === revisionOf(migration);
  return !isApproved && currentCondition(migration, "Ready")?.reason === WAITING_FOR_ROLLOUT;
}

/** What approves the changes that waited for this rollout; nothing while it is not over, for whichever application. */
export function approval(seen: Seen, isComplete: boolean): KubeObject | undefined {
  const { migration, peers, template } = seen;
  if (!migration || !isComplete || !isWaiting(migration) || !beganWith(seen, migration)) return undefined;
  if (hasOlderPods(seen, template) || !peers.every((peer) => isRolledOut(peer, migration))) return undefined;
  const { name, namespace, uid } = migration.metadata;
  const annotations = { [ANNOTATION_CONTRACT_APPROVED]: revisionOf(migration) };
  return { apiVersion: migration.apiVersion, kind: migration.kind, metadata: { name, namespace, uid, annotations } };
}

function beganWith({ deployment }: Pick<Seen, "deployment">, migration: KubeObject): boolean {
  return deployment?.metadata.annotations?.[MIGRATION_ANNOTATION] === generationOf(migration);
}

/** A Pod that ends still answers what it was asked. */
function hasOlderPods({ allPods }: Pick<Seen, "allPods">, template: PodTemplate): boolean {
  return allPods.some(({ metadata }) => metadata.labels?.[TEMPLATE_LABEL] !== template.metadata.labels[TEMPLATE_LABEL]);
}

/** For another application the same holds as for this one. */
function isRolledOut(peer: Peer, migration: KubeObject): boolean {
  const { owner: { metadata, status }, deployment } = peer;
  const isComplete = status?.phase === "Running" && status.observedGeneration === metadata.generation;
  return isComplete && beganWith(peer, migration) && !hasOlderPods(peer, deployment!.spec.template);
}

/** That changes wait for a rollout which nobody has begun. */
export function contractFinding(seen: Seen): Finding | undefined {
  const { migration } = seen;
  if (!migration || !isWaiting(migration) || beganWith(seen, migration)) return undefined;
  const message =
    `DatabaseMigration "${migration.metadata.name}" has changes that follow the next version; annotation ` +
    `"${ANNOTATION_CONTRACT_APPROVED}=${revisionOf(migration)}" on it lets them go on without one`;
  return { type: "ContractPending", status: "True", reason: "WaitingForNextRollout", message };
}
