/**
 * Taking leave: an owner that is being deleted is settled like any other, with `part` in the place of `decide`, until
 * that has nothing more to say.
 *
 * @module
 */
import type { ControllerDefinition, Plan } from "./definition.ts";

const OVER: Plan = {
  report: {
    phase: "Terminating",
    state: "reconciling",
    reason: "Deleting",
    message: "Everything is about to be deleted",
  },
};

/** The definition to settle by, and whether its last decision was that all is over; nothing for a kind without `part`. */
export function partingOf<Seen>(
  definition: ControllerDefinition<Seen>,
): { definition: ControllerDefinition<Seen>; isOver(): boolean } | undefined {
  const { part } = definition;
  if (!part) return undefined;
  let isOver = false;
  const decide = (seen: Seen, now: number): Plan => {
    const plan = part(seen, now);
    isOver = plan === undefined;
    return plan ?? OVER;
  };
  return { definition: { ...definition, decide }, isOver: () => isOver };
}
