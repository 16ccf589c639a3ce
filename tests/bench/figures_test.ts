import assert from "node:assert/strict";
import {
  beyondWatches,
  bucketQuantile,
  bucketsOf,
  quantile,
  requestsOf,
  seriesOf,
  since,
  writesAmong,
} from "./figures.ts";

const METRICS = `# HELP maquette_api_requests_total Requests
maquette_api_requests_total{verb="apply",resource="services",code="201"} 3
maquette_api_requests_total{verb="apply",resource="services",code="409"} 1
maquette_api_requests_total{verb="create",resource="events",code="201"} 2
maquette_api_requests_total{verb="list",resource="services",code="200"} 4
maquette_api_requests_total{verb="update",resource="leases",code="200"} 9
process_resident_memory_bytes 1000
took_seconds_bucket{le="0.001",kind="a"} 90
took_seconds_bucket{le="0.005",kind="a"} 99
took_seconds_bucket{le="+Inf",kind="a"} 100
took_seconds_bucket{le="0.001",kind="b"} 100
took_seconds_bucket{le="0.005",kind="b"} 100
took_seconds_bucket{le="+Inf",kind="b"} 100
`;

Deno.test("requests are counted by verb, Events and refusals apart, without the lease", () => {
  const requests = requestsOf(seriesOf(METRICS));
  assert.deepEqual(requests, { apply: 3, "apply 409": 1, event: 2, list: 4 });
  assert.equal(beyondWatches(requests), 6);
  assert.equal(writesAmong(requests), 6);
});

Deno.test("since() leaves out what did not grow", () => {
  assert.deepEqual(since({ apply: 1, list: 2 }, { apply: 3, list: 2, event: 1 }), { apply: 2, event: 1 });
});

Deno.test("quantile() takes the nearest rank", () => {
  assert.equal(quantile([3, 1, 2, 4], 0.5), 2);
  assert.equal(quantile([3, 1, 2, 4], 0.99), 4);
  assert.equal(quantile([7], 0.5), 7);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

Deno.test("bucketQuantile() is the bound of the bucket, over all labels and since an earlier look", () => {
  const now = bucketsOf(seriesOf(METRICS), "took_seconds");
  assert.equal(bucketQuantile(new Map(), now, 0.5), 0.001);
  assert.equal(bucketQuantile(new Map(), now, 0.99), 0.005);
  assert.equal(bucketQuantile(new Map([[0.001, 190], [0.005, 190], [Infinity, 190]]), now, 0.5), 0.005);
  assert.equal(bucketQuantile(new Map(), now, 1), Infinity);
});
