import assert from "node:assert/strict";
import { addressProblem, isMetadataHost } from "./addresses.ts";

const REGISTRY = new URL("https://registry.example.com");

const refused: readonly string[] = [
  "http://169.254.169.254/latest/meta-data/",
  "http://2852039166/",
  "http://0xa9fea9fe/",
  "http://0251.0376.0251.0376/",
  "http://169.254.170.2/v2/credentials",
  "http://[::ffff:169.254.169.254]/",
  "http://[::169.254.169.254]/",
  "http://[fe80::1]/",
  "http://[febf::1]/",
  "http://[fd00:ec2::254]/",
  "http://100.100.100.200/",
  "http://metadata.google.internal/",
  "http://METADATA.google.internal./",
  "https://127.0.0.1:6443/",
  "https://127.1/",
  "https://localhost/token",
  "https://a.localhost./token",
  "https://0.0.0.0:9999/token",
  "https://0/token",
  "https://[::]/",
  "https://[::1]/",
  "https://[::ffff:127.0.0.1]/",
];

for (const target of refused) {
  Deno.test(`addressProblem() refuses ${target}`, () => assert.ok(addressProblem(new URL(target), REGISTRY)));
}

const allowed: Record<string, [target: string, registry: string]> = {
  "another host": ["https://auth.docker.io/token", "https://registry-1.docker.io"],
  "a private network, where companies have token servers": ["https://10.0.0.8/token", "https://10.0.0.7"],
  "the registry's own host and port": ["https://169.254.1.1:5000/token", "https://169.254.1.1:5000"],
  "another port of this machine from this machine": ["http://127.0.0.1:5001/token", "http://localhost:5000"],
  "a name that only begins like an address": ["https://169.254.169.254.example.com/", "https://r.example.com"],
  "a public IPv6 address": ["https://[2606:50c0::1]/", "https://r.example.com"],
};

for (const [name, [target, registry]] of Object.entries(allowed)) {
  Deno.test(`addressProblem() allows ${name}`, () => {
    assert.equal(addressProblem(new URL(target), new URL(registry)), undefined);
  });
}

Deno.test("a registry on this machine does not lead to the metadata service", () => {
  assert.ok(addressProblem(new URL("http://169.254.169.254/"), new URL("http://localhost:5000")));
});

Deno.test("the metadata service is no registry, whatever its name is written like", () => {
  const hosts = ["169.254.169.254", "[::ffff:a9fe:a9fe]", "metadata.google.internal"];
  for (const host of hosts) assert.ok(isMetadataHost(host), host);
  assert.ok(!isMetadataHost("localhost"));
});
