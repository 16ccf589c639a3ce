/**
 * The metrics that dashboards for previews already know; names and labels are fixed (SPEC section 3).
 *
 * @module
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import type { Change, Lister } from "../../runtime/definition.ts";

export interface PreviewMetricsOptions {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Whether `branch_name` and `pr_number` carry values; without, the two counters count everything together. */
  perPullRequest: boolean;
}

interface StatusView {
  phase?: string;
  conditions?: { type: string; reason: string }[];
  history?: { outcome: string }[];
}

/** See the module. */
export class PreviewMetrics {
  readonly #options: PreviewMetricsOptions;
  readonly #created: Counter;
  readonly #failed: Counter;
  readonly #reconciles: Counter;
  readonly #duration: Histogram;
  readonly #expired: Counter;
  readonly #registry: Registry;

  constructor(registry: Registry, options: PreviewMetricsOptions) {
    this.#options = options;
    this.#registry = registry;
    const registers = [registry];
    const name = (suffix: string): string => `preview_environment${suffix}`;
    this.#created = new Counter({
      name: name("s_created_total"),
      help: "Environments that were begun, by branch.",
      labelNames: ["branch_name"],
      registers,
    });
    this.#failed = new Counter({
      name: name("s_failed_total"),
      help: "Environments that became Failed, by the step that failed: claim, source, image, start, rollout or apply.",
      labelNames: ["step"],
      registers,
    });
    this.#reconciles = new Counter({
      name: name("s_reconcile_total"),
      help: "Reconciles, by pull request.",
      labelNames: ["pr_number"],
      registers,
    });
    this.#duration = new Histogram({
      name: name("_creation_duration_seconds"),
      help: "Time from the creation of an environment until it was Ready for the first time.",
      buckets: [0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600],
      registers,
    });
    this.#expired = new Counter({
      name: name("s_expired_total"),
      help: "Environments that were deleted because their time was over.",
      registers,
    });
  }

  /** Counts the active ones out of the cache when it is asked, so that it is right after every restart. */
  follow(owners: { cache: Lister; subscribe(listener: (change: Change) => void): void }): void {
    new Gauge({
      name: "preview_environments_active",
      help: "Environments that exist and are not being deleted.",
      registers: [this.#registry],
      collect(): void {
        this.set([...owners.cache.values()].filter((owner) => !owner.metadata.deletionTimestamp).length);
      },
    });
    owners.subscribe(({ type, object }) => {
      if (type === "DELETED") this.#forget(object as PreviewEnvironment, owners.cache);
    });
  }

  /** Counts what one reconcile changed. @param status The status that it wrote, or would have. */
  reconciled(owner: PreviewEnvironment, status: Readonly<Record<string, unknown>>): void {
    const before = (owner.status ?? {}) as StatusView;
    const after = status as StatusView;
    this.#reconciles.inc(this.#label("pr_number", String(owner.spec.pr_number)));
    if (!before.phase && !owner.metadata.deletionTimestamp) {
      this.#created.inc(this.#label("branch_name", owner.spec.branch_name));
    }
    if (after.phase === before.phase) return;
    if (after.phase === "Failed") this.#failed.inc({ step: stepOf(reasonOf(after)) });
    if (after.phase === "Expired") this.#expired.inc();
    if (after.phase === "Ready" && !before.history?.some((entry) => entry.outcome === "Ready")) {
      this.#duration.observe((this.#options.now() - Date.parse(owner.metadata.creationTimestamp!)) / 1000);
    }
  }

  #label(name: string, value: string): Record<string, string> {
    return this.#options.perPullRequest ? { [name]: value } : {};
  }

  #forget(owner: PreviewEnvironment, left: Lister): void {
    if (!this.#options.perPullRequest) return;
    const { pr_number, branch_name } = owner.spec;
    const others = [...left.values()] as PreviewEnvironment[];
    if (!others.some((other) => other.spec.pr_number === pr_number)) this.#reconciles.remove(String(pr_number));
    if (!others.some((other) => other.spec.branch_name === branch_name)) this.#created.remove(branch_name);
  }
}

function reasonOf(status: StatusView): string {
  return status.conditions?.find((condition) => condition.type === "Ready")?.reason ?? "";
}

/** Reasons come from kubelets and container runtimes, too: the label has these values and no others. */
function stepOf(reason: string): string {
  if (reason === "NotOwned") return "claim";
  if (reason === "SourceMissing" || reason === "SourceRefused") return "source";
  if (/Image/.test(reason)) return "image";
  if (reason === "ProgressDeadlineExceeded" || reason === "Unschedulable") return "rollout";
  return /^(ReconcileError|Forbidden|Refused)$/.test(reason) ? "apply" : "start";
}
