/**
 * What is legal, but hardly what the author wants: said in a condition, and in an Event when it comes. Pure.
 *
 * @module
 */
import { type Finding, WARNINGS } from "../../runtime/status.ts";
import type { Seen } from "./gather.ts";

const MOST = 10;

/** One condition with everything, or none. */
export function warningsOf({ source, rendering, performed }: Seen): Finding[] {
  const found = [
    ...(source?.is === "found" ? [...source.value.warnings, ...troubleWith(source.trouble)] : []),
    ...(rendering?.is === "found" ? rendering.value.warnings : []),
    ...(performed && "report" in performed
      ? performed.report.warnings.map((message) => ({ reason: "DeploymentWarning", message }))
      : []),
  ];
  const [first] = found;
  if (!first) return [];
  const more = found.length > MOST ? `; and ${found.length - MOST} more` : "";
  const message = `${found.slice(0, MOST).map((each) => each.message).join("; ")}${more}`;
  return [{ type: WARNINGS, status: "True", reason: first.reason, message }];
}

/** What was fetched stays deployed. */
function troubleWith(error: unknown): { reason: string; message: string }[] {
  if (error === undefined) return [];
  const message = error instanceof Error ? error.message : String(error);
  return [{ reason: "SourceNotChecked", message: `The source cannot be looked at anew: ${message}` }];
}
