/**
 * Numbers out of samples and out of the text of /metrics. Pure.
 *
 * @module
 */

/** One series of /metrics. */
export interface Series {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** All series of a text in the Prometheus format. */
export function seriesOf(text: string): Series[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
    const [, name = "", labels = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label!, text!] as const);
    return { name, labels: Object.fromEntries(pairs), value: Number(value) };
  });
}

/** Of who leads: the lease, and the fence that follows it. */
const ELECTION = new Set(["leases", "leader"]);

/** Requests by verb, and by code where they failed. Those of the election are left out. */
export type Requests = Record<string, number>;

/** What the operator's counter of requests says. */
export function requestsOf(series: readonly Series[]): Requests {
  const counts: Requests = {};
  for (const { name, labels, value } of series) {
    const { verb = "", resource, code = "" } = labels;
    if (name !== "maquette_api_requests_total" || ELECTION.has(resource ?? "")) continue;
    const what = resource === "events" ? "event" : /^2/.test(code) ? verb : `${verb} ${code}`;
    counts[what] = (counts[what] ?? 0) + value;
  }
  return counts;
}

/** Requests since an earlier look, without those of which there were none. */
export function since(before: Requests, after: Requests): Requests {
  const entries = Object.entries(after).map(([verb, count]) => [verb, count - (before[verb] ?? 0)] as const);
  return Object.fromEntries(entries.filter(([, count]) => count > 0).sort(([a], [b]) => a < b ? -1 : 1));
}

const READS = new Set(["list", "watch", "get"]);

/** Without lists and watches: a watch that ends is begun anew at any time. */
export function withoutWatches(requests: Requests): Requests {
  return Object.fromEntries(Object.entries(requests).filter(([verb]) => !/^(list|watch)\b/.test(verb)));
}

/** How many requests were neither lists nor watches. */
export function beyondWatches(requests: Requests): number {
  return sum(Object.values(withoutWatches(requests)));
}

/** How many requests were writes, refused ones too. */
export function writesAmong(requests: Requests): number {
  return sum(Object.entries(requests).filter(([verb]) => !READS.has(verb.split(" ")[0]!)).map(([, count]) => count));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The value below which this part of the samples lies: nearest rank. NaN without samples. */
export function quantile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? NaN;
}

/** Cumulative counts of a histogram by the upper bounds of its buckets. */
export type Buckets = Map<number, number>;

/** The buckets of a histogram, summed over all its labels. */
export function bucketsOf(series: readonly Series[], histogram: string): Buckets {
  const buckets: Buckets = new Map();
  for (const { name, labels, value } of series) {
    if (name !== `${histogram}_bucket`) continue;
    const bound = labels.le === "+Inf" ? Infinity : Number(labels.le);
    buckets.set(bound, (buckets.get(bound) ?? 0) + value);
  }
  return buckets;
}

/** The upper bound of the bucket that holds a quantile of what came since an earlier look; seconds, as the buckets. */
export function bucketQuantile(before: Buckets, after: Buckets, part: number): number {
  const grown = [...after].map(([bound, count]) => ({ bound, count: count - (before.get(bound) ?? 0) }))
    .sort((a, b) => a.bound - b.bound);
  const total = grown.at(-1)?.count ?? 0;
  return total === 0 ? NaN : grown.find(({ count }) => count >= part * total)!.bound;
}
