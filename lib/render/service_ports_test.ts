import assert from "node:assert/strict";
import { portProblems } from "./service_ports.ts";
import { object } from "./test_objects.ts";

const CASES: Record<string, [ports: unknown, want: string[]]> = {
  "two ports of one name": [
    [{ name: "http", port: 80 }, { name: "http", port: 8080 }],
    ['ports 80, 8080 are all named "http": give each a name of its own'],
  ],
  "one port twice": [
    [{ name: "http", port: 80 }, { name: "web", port: 80, protocol: "TCP" }],
    ['port 80 (TCP) stands there 2 times, as "http", "web": one is enough'],
  ],
  "a port without a name beside another": [
    [{ port: 80 }, { name: "metrics", port: 9090 }],
    ["port 80 has no name, and of several ports each needs one"],
  ],
  "one number with two protocols": [
    [{ name: "dns", port: 53, protocol: "UDP" }, { name: "dns-tcp", port: 53, protocol: "TCP" }],
    [],
  ],
  "a single port without a name": [[{ port: 80 }], []],
  "no ports": [undefined, []],
  "what is odd": [["text", null], []],
};

for (const [name, [ports, want]] of Object.entries(CASES)) {
  Deno.test(`portProblems() of ${name}`, () => {
    assert.deepEqual(portProblems({ ...object("v1", "Service", "web"), spec: { ports } }), want);
  });
}

Deno.test("portProblems() is about Services of Kubernetes itself", () => {
  const spec = { ports: [{ port: 80 }, { port: 80 }] };
  assert.deepEqual(portProblems({ ...object("serving.knative.dev/v1", "Service", "web"), spec }), []);
  assert.deepEqual(portProblems({ ...object("v1", "Pod", "web"), spec }), []);
});
