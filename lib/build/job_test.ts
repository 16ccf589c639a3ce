import assert from "node:assert/strict";
import type { KubeObject } from "../api/object.ts";
import { isDnsLabel } from "../naming.ts";
import { buildEgressPolicy, buildJob, jobName } from "./job.ts";
import { imageKey } from "./names.ts";
import type { BuildOptions, BuildRequest } from "./request.ts";
import { options, request } from "./test_builds.ts";

const INTO = { namespace: "team-shop-dev", labels: { "app.kubernetes.io/managed-by": "maquette" } };

interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env: { name: string; value?: string }[];
  securityContext: Record<string, unknown>;
  volumeMounts: { name: string; mountPath: string }[];
}

function job(over: Partial<BuildRequest> = {}, other: Partial<BuildOptions> = {}): KubeObject {
  return buildJob(request(over), options(other), INTO);
}

function pod(over: Partial<BuildRequest> = {}, other: Partial<BuildOptions> = {}): KubeObject["spec"] {
  return job(over, other).spec.template.spec;
}

function fetcher(over: Partial<BuildRequest> = {}, other: Partial<BuildOptions> = {}): Container {
  return pod(over, other).initContainers[0];
}

function builder(over: Partial<BuildRequest> = {}, other: Partial<BuildOptions> = {}): Container {
  return pod(over, other).containers[0];
}

function variable({ env }: Container, name: string): string | undefined {
  return env.find((entry) => entry.name === name)?.value;
}

Deno.test("the name of a Job follows from its content alone", () => {
  const name = jobName(request(), options());
  assert.equal(name, jobName(request(), options()));
  assert.ok(isDnsLabel(name));
  assert.match(name, /^build-01234567-[0-9a-f]{12}$/);
  assert.equal(job().metadata.name, name);
});

const changes: Record<string, [over: Partial<BuildRequest>, other: Partial<BuildOptions>]> = {
  "another repository": [{ repositoryUrl: "https://git.example.com/acme/other.git" }, {}],
  "another commit": [{ commit: "f".repeat(40) }, {}],
  "another context": [{ context: "." }, {}],
  "another Dockerfile": [{ dockerfile: "Dockerfile.prod" }, {}],
  "another image": [{ image: "registry.example.com/acme/other" }, {}],
  "another builder": [{ builder: "kaniko" }, {}],
  "more time": [{ timeoutSeconds: 1200 }, {}],
  "another Secret to push": [{ pushSecret: { name: "push", key: "k" } }, {}],
  "another content of the Secrets": [{ secretsDigest: "1" }, {}],
  "another image of the builder": [{}, { buildkitImage: "moby/buildkit:next" }],
  "a mirror": [{}, { mirrors: new Map([["docker.io", ["mirror.example"]]]) }],
  "an authority": [{}, { caCertificates: "PEM" }],
};

for (const [name, [over, other]] of Object.entries(changes)) {
  Deno.test(`${name} is another Job`, () => {
    assert.notEqual(jobName(request(over), options(other)), jobName(request(), options()));
  });
}

Deno.test("Jobs of one image have one key, however the image is written", () => {
  const keys = ["acme/shop", "docker.io/acme/shop", "index.docker.io/acme/shop"].map((image) =>
    imageKey(request({ image }))
  );
  assert.equal(new Set(keys).size, 1);
  assert.notEqual(keys[0], imageKey(request({ image: "acme/shop", commit: "f".repeat(40) })));
});

Deno.test("a Job ends by its deadline, is tried twice at most, and goes some time after its end", () => {
  const { spec } = job();
  assert.deepEqual([spec.activeDeadlineSeconds, spec.backoffLimit, spec.ttlSecondsAfterFinished], [600, 1, 3600]);
  assert.equal(spec.template.spec.restartPolicy, "Never");
  const [drained, ...said] = spec.podFailurePolicy.rules;
  assert.equal(drained.action, "Ignore");
  assert.deepEqual(said.map(({ onExitCodes }: KubeObject) => onExitCodes.containerName), ["fetch", "build"]);
});

Deno.test("Job and Pods carry the owner's labels and ours", () => {
  const { metadata, spec } = job();
  for (const labels of [metadata.labels, spec.template.metadata.labels]) {
    assert.equal(labels?.["app.kubernetes.io/managed-by"], "maquette");
    assert.equal(labels?.["app.kubernetes.io/component"], "build");
    assert.equal(labels?.["maquette.dev/build"], metadata.name);
    assert.equal(labels?.["maquette.dev/build-image"], imageKey(request()));
  }
});

const builders = ["buildkit", "kaniko"] as const;

for (const kind of builders) {
  Deno.test(`${kind} has no token of the cluster and no privileges`, () => {
    const spec = pod({ builder: kind });
    assert.equal(spec.automountServiceAccountToken, false);
    assert.ok(!spec.hostNetwork && !spec.hostPID && !spec.hostUsers);
    for (const { securityContext } of [...spec.initContainers, ...spec.containers]) {
      assert.ok(!securityContext.privileged);
      assert.deepEqual(securityContext.capabilities.drop, ["ALL"]);
    }
  });

  Deno.test(`${kind} is not given the login of the repository`, () => {
    const secrets = { gitSecret: { name: "git" }, pushSecret: { name: "push", key: ".dockerconfigjson" } };
    const names = (container: Container): string[] => container.volumeMounts.map(({ name }) => name);
    assert.ok(!names(builder({ builder: kind, ...secrets })).includes("git-login"));
    assert.ok(!names(fetcher({ builder: kind, ...secrets })).includes("registry-login"));
    assert.ok(names(fetcher({ builder: kind, ...secrets })).includes("git-login"));
    assert.ok(names(builder({ builder: kind, ...secrets })).includes("registry-login"));
  });

  Deno.test(`${kind} runs no value of the request as code`, () => {
    const hostile = { context: "a$(HOME)`id`;'\"", dockerfile: '$(id)\\" x' };
    for (const make of [fetcher, builder]) {
      assert.deepEqual(make({ builder: kind, ...hostile }).command, make({ builder: kind }).command);
    }
    assert.equal(variable(fetcher(hostile), "CONTEXT"), hostile.context.replaceAll("$", "$$$$"));
    assert.ok(builder({ builder: kind, ...hostile }).args?.every((arg) => !/(^|[^$])\$(\$\$)*\(/.test(arg)));
  });
}

Deno.test("BuildKit builds the folder by the Dockerfile, and pushes by the commit", () => {
  const { args } = builder({ dockerfile: "docker/Dockerfile.prod" });
  assert.deepEqual(args, [
    ...["--frontend", "dockerfile.v0"],
    ...["--local", "context=/maquette/source/services/web"],
    ...["--local", "dockerfile=/maquette/source/services/web/docker"],
    ...["--opt", "filename=Dockerfile.prod"],
    ...["--output", `type=image,name=registry.example.com/acme/shop:${request().commit},push=true`],
  ]);
});

Deno.test("BuildKit runs as a user, with the profiles that are configured", () => {
  const { securityContext } = pod();
  assert.deepEqual([securityContext.runAsNonRoot, securityContext.runAsUser], [true, 1000]);
  assert.deepEqual(builder().securityContext.seccompProfile, undefined);
  const profiled = builder({}, { seccompProfile: "profiles/build.json", appArmorProfile: "build" }).securityContext;
  assert.deepEqual(profiled.seccompProfile, { type: "Localhost", localhostProfile: "profiles/build.json" });
  assert.deepEqual(profiled.appArmorProfile, { type: "Localhost", localhostProfile: "build" });
});

Deno.test("BuildKit is told of mirrors and of registries without TLS", () => {
  const mirrors = new Map([["docker.io", ["mirror.local:5000/hub", "m2.io"]]]);
  const toml = variable(fetcher({}, { mirrors, insecureRegistries: ["Mirror.local:5000"] }), "BUILDKITD_TOML");
  const lines = [
    '[registry."docker.io"]',
    '  mirrors = ["mirror.local:5000/hub","m2.io"]',
    '[registry."mirror.local:5000"]',
    "  http = true",
  ];
  assert.equal(toml, `${lines.join("\n")}\n`);
});

Deno.test("Kaniko is told everything by arguments, and leaves the digest as its last word", () => {
  const mirrors = new Map([["docker.io", ["m.io"]]]);
  const { args, image } = builder({ builder: "kaniko" }, { mirrors, insecureRegistries: ["r:5000"] });
  assert.equal(image, options().kanikoImage);
  assert.equal(fetcher({ builder: "kaniko" }).image, options().gitImage);
  for (
    const arg of [
      "--context=dir:///maquette/source/services/web",
      "--dockerfile=/maquette/source/services/web/Dockerfile",
      `--destination=registry.example.com/acme/shop:${request().commit}`,
      "--digest-file=/dev/termination-log",
      "--insecure-registry=r:5000",
      "--registry-map=index.docker.io=m.io",
    ]
  ) assert.ok(args?.includes(arg), arg);
});

const origins: Record<string, string | undefined> = {
  "https://git.example.com/acme/shop.git": "https://git.example.com",
  "http://git.local:8081/app.git": "http://git.local:8081",
  "ssh://git@git.example.com/acme/shop.git": undefined,
  "git@git.example.com:acme/shop.git": undefined,
};

for (const [repositoryUrl, origin] of Object.entries(origins)) {
  Deno.test(`the login for ${repositoryUrl} is for ${origin ?? "SSH alone"}`, () => {
    assert.equal(variable(fetcher({ repositoryUrl }), "ORIGIN"), origin);
  });
}

Deno.test("builds get out to DNS, to the internet without the cluster, and to what is allowed", () => {
  const metadata = { name: "build", namespace: "team-shop-dev" };
  const ranges = { denied: ["10.0.0.0/8", "fc00::/7"], allowed: ["10.9.0.0/16"] };
  const { spec } = buildEgressPolicy(metadata, ranges);
  // A label that no source may bring: with one that charts use, their Pods would be let out too.
  assert.deepEqual(spec.podSelector, { matchExpressions: [{ key: "maquette.dev/build", operator: "Exists" }] });
  assert.deepEqual(spec.policyTypes, ["Egress"]);
  const [, internet, allowed] = spec.egress;
  assert.deepEqual(internet.to[0].ipBlock, { cidr: "0.0.0.0/0", except: ["169.254.0.0/16", "10.0.0.0/8"] });
  assert.ok(internet.to[1].ipBlock.except.includes("fc00::/7"));
  assert.deepEqual(allowed.to, [{ ipBlock: { cidr: "10.9.0.0/16" } }]);
  assert.equal(buildEgressPolicy(metadata, { ...ranges, allowed: [] }).spec.egress.length, 2);
});

Deno.test("Kaniko copies what belongs to root, as Docker does, and keeps ssh content with the key", () => {
  const spec = pod({ builder: "kaniko", gitSecret: { name: "git" } });
  assert.equal(spec.securityContext.fsGroup, undefined);
  assert.equal(fetcher({ builder: "kaniko" }).securityContext.runAsUser, 0);
  assert.equal(fetcher().securityContext.runAsUser, undefined);
  const login = spec.volumes.find(({ name }: { name: string }) => name === "git-login");
  assert.equal(login.secret.defaultMode, 0o400);
});

Deno.test("a build that says no is not tried again: Kaniko says it with the code of the command that failed", () => {
  const codes = (over: Partial<BuildRequest>): unknown[] => {
    const { rules } = job(over).spec.podFailurePolicy;
    return rules.flatMap(({ onExitCodes }: { onExitCodes?: unknown }) => onExitCodes ?? []);
  };
  const fetch = { containerName: "fetch", operator: "In", values: [1] };
  assert.deepEqual(codes({}), [fetch, { containerName: "build", operator: "In", values: [1] }]);
  assert.deepEqual(codes({ builder: "kaniko" }), [fetch, { containerName: "build", operator: "NotIn", values: [0] }]);
});
