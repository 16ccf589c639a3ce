/**
 * What a decision asks for beyond children: a field that changes hands, a migration that may go on, and a
 * volume that is let go.
 *
 * @module
 */
import {
  ANNOTATION_APPLIED,
  FIELD_MANAGER,
  LABEL_INSTANCE,
  LABEL_MANAGED_BY,
  LABEL_OWNER_UID,
  LABEL_PART_OF,
} from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import { CLAIM, DEPLOYMENT } from "../../api/resources.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { JsonPatch } from "../../kube/paths.ts";
import { SCALE_MANAGER } from "./autoscaler.ts";
import type { AppSettings } from "./settings.ts";

/** See the module. */
export interface Further {
  /** A Deployment whose number of Pods the autoscaler is to have. */
  handOver?: KubeObject;
  /** A claim that is to stay when its application goes. */
  release?: KubeObject;
  /** A DatabaseMigration whose last changes may run: it is somebody else's, so this is its annotation and no more. */
  approve?: KubeObject;
}

const MARKS = [LABEL_MANAGED_BY, LABEL_OWNER_UID, LABEL_INSTANCE, LABEL_PART_OF];

/** @throws {KubeError} */
export async function perform(
  { handOver, release, approve }: Further,
  { kube, settings }: { kube: KubeClient; settings: Pick<AppSettings, "migrations"> },
): Promise<void> {
  if (handOver) await kube.apply(handOver, DEPLOYMENT, { manager: SCALE_MANAGER, force: true });
  if (approve) await kube.apply(approve, settings.migrations, { manager: FIELD_MANAGER, force: true });
  if (release) await kube.patch(CLAIM, release.metadata, withoutMarks(release));
}

/** What told it as ours; whose it was stays to be read in its annotation. */
function withoutMarks({ metadata }: KubeObject): JsonPatch {
  const { uid, labels = {}, annotations = {} } = metadata;
  const marks = MARKS.filter((name) => name in labels).map((name) => ["labels", name]);
  const digest = ANNOTATION_APPLIED in annotations ? [["annotations", ANNOTATION_APPLIED]] : [];
  return [
    { op: "test", path: "/metadata/uid", value: uid },
    ...[...marks, ...digest].map(([group, name]) => ({
      op: "remove" as const,
      path: `/metadata/${group}/${name!.replace("/", "~1")}`,
    })),
  ];
}
