/**
 * The metrics that dashboards for previews already know; names and labels are fixed (SPEC section 3).
 *
 * @module
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import { HISTORY_LENGTH } from "../../api/status.ts";
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
  /** Values of the two labels that are shown, so that they can be taken away. */
  readonly #shown = { branches: new Set<string>(), numbers: new Set<string>() };

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
    owners.subscribe(({ type }) => {
      if (type === "DELETED") this.#forget(owners.cache);
    });
  }

  /** Counts what one reconcile changed. @param status The status that it wrote, or would have. */
  reconciled(owner: PreviewEnvironment, status: Readonly<Record<string, unknown>>): void {
    const before = (owner.status ?? {}) as StatusView;
    const after = status as StatusView;
    this.#count(this.#reconciles, { pr_number: String(owner.spec.pr_number) }, this.#shown.numbers);
    if (!before.phase && !owner.metadata.deletionTimestamp) {
      this.#count(this.#created, { branch_name: owner.spec.branch_name }, this.#shown.branches);
    }
    if (after.phase === before.phase) return;
    if (after.phase === "Failed") this.#failed.inc({ step: stepOf(reasonOf(after)) });
    if (after.phase === "Expired") this.#expired.inc();
    if (after.phase === "Ready" && isFirstReady(before)) {
      this.#duration.observe((this.#options.now() - Date.parse(owner.metadata.creationTimestamp!)) / 1000);
    }
  }

  #count(counter: Counter, label: Record<string, string>, shown: Set<string>): void {
    if (!this.#options.perPullRequest) return counter.inc();
    for (const value of Object.values(label)) shown.add(value);
    counter.inc(label);
  }

  /** Takes away every label value that no environment has: branches change, and two environments may share one. */
  #forget(left: Lister): void {
    const specs = [...left.values()].map((owner) => (owner as PreviewEnvironment).spec);
    keepOnly(this.#reconciles, this.#shown.numbers, new Set(specs.map((spec) => String(spec.pr_number))));
    keepOnly(this.#created, this.#shown.branches, new Set(specs.map((spec) => spec.branch_name)));
  }
}

function keepOnly(counter: Counter, shown: Set<string>, used: ReadonlySet<string>): void {
  for (const value of [...shown].filter((candidate) => !used.has(candidate))) {
    counter.remove(value);
    shown.delete(value);
  }
}

/** A full history may have had a Ready that fell out of it: rather no figure than a wrong one. */
function isFirstReady({ history = [] }: StatusView): boolean {
  return history.length < HISTORY_LENGTH && !history.some((entry) => entry.outcome === "Ready");
}

function reasonOf(status: StatusView): string {
  return status.conditions?.find((condition) => condition.type === "Ready")?.reason ?? "";
}

/** Reasons come from kubelets and container runtimes, too: the label has these values and no others. */
function stepOf(reason: string): string {
  if (["NotOwned", "HostTaken", "NamespaceReserved"].includes(reason)) return "claim";
  if (reason === "SourceMissing" || reason === "SourceRefused") return "source";
  if (/Image/.test(reason)) return "image";
  if (/^(ProgressDeadlineExceeded|Unschedulable|FailedCreate)$/.test(reason)) return "rollout";
  return /^(ReconcileError|Forbidden|Refused)$/.test(reason) ? "apply" : "start";
}
