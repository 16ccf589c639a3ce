/**
 * The kind Printer as the runtime takes it: what is watched and allowed, as data.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import { PRINTER, type Printer } from "../../api/printer.ts";
import { JOB, POD } from "../../api/resources.ts";
import type { ControllerDefinition, Permission, Root } from "../../runtime/definition.ts";
import { LogReader } from "../../workload/logs.ts";
import { podShape } from "../../workload/pod_failure.ts";
import { decide } from "./decide.ts";
import { childName } from "./desired.ts";
import { gather, type Seen } from "./gather.ts";
import type { PrinterSettings } from "./settings.ts";

const KIND = PRINTER.resource;
const CHILD = ["list", "watch", "get", "create", "patch", "delete"] as const;

/** What the operator must be allowed for this kind. */
export const PRINTER_PERMISSIONS: readonly Permission[] = [
  { groups: [KIND.group], resources: [KIND.plural], verbs: ["list", "watch", "patch"] },
  { groups: [KIND.group], resources: [`${KIND.plural}/status`], verbs: ["patch"] },
  // Where OwnerReferencesPermissionEnforcement is on, an ownerReference that blocks deletion takes this.
  { groups: [KIND.group], resources: [`${KIND.plural}/finalizers`], verbs: ["update"] },
  { groups: [""], resources: ["pods"], verbs: CHILD },
  { groups: [""], resources: ["pods/log"], verbs: ["get"] },
  { groups: ["batch"], resources: ["jobs"], verbs: CHILD },
];

/** The definition for one configuration. */
export function printerController(settings: PrinterSettings): ControllerDefinition<Seen> {
  const logs = new LogReader();
  return {
    kind: KIND,
    owns: [
      { resource: POD, scope: "children", shape: podShape },
      { resource: JOB, scope: "children" },
    ],
    watches: [],
    permissions: PRINTER_PERMISSIONS,
    gather: (owner, deps) => gather(owner as Printer, { ...deps, settings, logs }),
    decide,
    roots,
  };
}

/** Both: the mode may have changed just before. */
function roots(owner: KubeObject): Root[] {
  const { namespace } = owner.metadata;
  return [POD, JOB].map((resource) => ({ resource, namespace, name: childName(owner) }));
}
