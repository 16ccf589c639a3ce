import assert from "node:assert/strict";
import { flagsOf, readCommandLine, UsageError, variableOf } from "./config.ts";
import { OPTIONS } from "./options.ts";

Deno.test("every default is a legal value", () => {
  const { config } = readCommandLine([], {});
  assert.equal(config.domain, "preview.localhost");
  assert.equal(config.defaultTtlSeconds, 86_400);
  assert.equal(config.workers, 16);
  assert.deepEqual(config.allowedRegistries, []);
  assert.ok(Object.isFrozen(config));
});

Deno.test("flags win over the environment, the environment over defaults", () => {
  const env = { MAQUETTE_DOMAIN: "env.example.com", MAQUETTE_WORKERS: "3" };
  const { config } = readCommandLine(["--domain", "flag.example.com"], env);
  assert.equal(config.domain, "flag.example.com");
  assert.equal(config.workers, 3);
});

Deno.test("a flag alone says true, and =false says false", () => {
  assert.equal(readCommandLine(["--allow-latest"], {}).config.allowLatest, true);
  assert.equal(readCommandLine(["--webhook=false"], {}).config.webhook, false);
});

const REFUSED: Record<string, { args?: string[]; env?: Record<string, string>; says: RegExp }> = {
  "an unknown flag": { args: ["--domian=x"], says: /--domian/ },
  "a flag without its value": { args: ["--domain"], says: /--domain/ },
  "a stray word": { args: ["please"], says: /please/ },
  "a domain with capitals": { args: ["--domain=Example.com"], says: /--domain: "Example\.com" must be a domain/ },
  "a port over 65535": { args: ["--http-port=65536"], says: /--http-port: .*from 0 to 65535/ },
  "a number with a unit": { args: ["--default-ttl-seconds=1h"], says: /--default-ttl-seconds: "1h"/ },
  "a TTL below a minute": { args: ["--max-ttl-seconds=59"], says: /--max-ttl-seconds/ },
  "a default TTL over the maximum": {
    args: ["--default-ttl-seconds=7200", "--max-ttl-seconds=3600"],
    says: /--default-ttl-seconds: 7200 must not be more than --max-ttl-seconds 3600/,
  },
  "a registry with a scheme": { args: ["--denied-registries=https://ghcr.io"], says: /--denied-registries/ },
  "a range that is no CIDR": { args: ["--cluster-ranges=10.0.0.0"], says: /--cluster-ranges: .*networks/ },
  "an image that is none": { args: ["--printer-image=Busy Box"], says: /--printer-image/ },
  "a TLS mode that is none": { args: ["--tls=maybe"], says: /--tls: .*cert-manager, wildcard or none/ },
  "a webhook URL without TLS": { args: ["--webhook-url=http://x"], says: /--webhook-url: .*https/ },
  "an issuer of no kind": { args: ["--webhook-issuer=letsencrypt"], says: /--webhook-issuer: .*ClusterIssuer\/name/ },
  "an issuer without cert-manager": {
    args: ["--webhook-issuer=ClusterIssuer/ca"],
    says: /--webhook-issuer: "ClusterIssuer\/ca" means nothing without --webhook-certificates cert-manager/,
  },
  "a certificate that cert-manager would not issue": {
    args: ["--webhook-certificates=cert-manager", "--webhook-certificate-seconds=600"],
    says: /--webhook-certificate-seconds: .*3600/,
  },
  "a bad value in the environment, by its name": {
    env: { MAQUETTE_LOG_LEVEL: "loud" },
    says: /MAQUETTE_LOG_LEVEL: "loud"/,
  },
  "a misspelt variable": { env: { MAQUETTE_DOMIAN: "x" }, says: /MAQUETTE_DOMIAN: no such option/ },
};

for (const [sentence, { args = [], env = {}, says }] of Object.entries(REFUSED)) {
  Deno.test(`readCommandLine() refuses ${sentence}`, () => {
    assert.throws(() => readCommandLine(args, env), (error) => error instanceof UsageError && says.test(error.message));
  });
}

Deno.test("reserved namespaces may end with a star", () => {
  const { config } = readCommandLine(["--reserved-namespaces=prod-*, team*,payments"], {});
  assert.deepEqual(config.reservedNamespaces, ["prod-*", "team*", "payments"]);
});

Deno.test("all bad values are told at once", () => {
  const read = (): unknown => readCommandLine(["--domain=A", "--workers=0"], { MAQUETTE_TLS: "x" });
  assert.throws(read, /--domain[^]*--tls|MAQUETTE_TLS[^]*--workers/);
});

Deno.test("flagsOf() says what differs from the defaults, and reads back as the same", () => {
  const args = ["--domain=a.example.com", "--allow-latest=true", "--allowed-registries=ghcr.io/acme,quay.io"];
  const { config } = readCommandLine(args, {});
  assert.deepEqual(flagsOf(config).toSorted(), args.toSorted());
  assert.deepEqual(readCommandLine(flagsOf(config), {}).config, config);
});

Deno.test("every option has a help text, and a variable of its own", () => {
  const variables = Object.keys(OPTIONS).map(variableOf);
  assert.equal(new Set(variables).size, variables.length);
  for (const [flag, { help }] of Object.entries(OPTIONS)) assert.ok(help.length > 10, flag);
});
