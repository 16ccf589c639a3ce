import assert from "node:assert/strict";
import { inClusterCredentials, kubeconfigCredentials } from "./credentials.ts";

async function inFolder(files: Record<string, string>, test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function kubeconfig(user: string, cluster = "server: https://one.example:6443/"): string {
  return `
current-context: main
contexts:
- {name: main, context: {cluster: c, user: u, namespace: team}}
- {name: broken, context: {cluster: missing, user: u}}
clusters:
- name: c
  cluster: {${cluster}}
users:
- name: u
  user: {${user}}
`;
}

Deno.test("kubeconfigCredentials() reads what stands inside the file", async () => {
  const config = kubeconfig(
    `token: abc, client-certificate-data: ${btoa("CERT")}, client-key-data: ${btoa("KEY")}`,
    `server: "https://one.example:6443/", certificate-authority-data: ${btoa("CA")}`,
  );
  await inFolder({ config }, async (folder) => {
    const found = await kubeconfigCredentials(`${folder}/config`);
    const { server, ca, cert, key, namespace } = found;
    assert.deepEqual({ server, ca, cert, key, namespace }, {
      server: "https://one.example:6443",
      ca: "CA",
      cert: "CERT",
      key: "KEY",
      namespace: "team",
    });
    assert.equal(await found.token?.(), "abc");
  });
});

Deno.test("kubeconfigCredentials() reads files beside it, and a token file anew after a minute", async () => {
  const config = kubeconfig(
    "tokenFile: token, client-certificate: cert.pem, client-key: key.pem",
    "server: https://one.example, certificate-authority: ca.pem",
  );
  const files = { config, "ca.pem": "CA", "cert.pem": "CERT", "key.pem": "KEY", token: "first\n" };
  await inFolder(files, async (folder) => {
    let time = 5;
    const found = await kubeconfigCredentials(`${folder}/config`, { now: () => time });
    assert.deepEqual([found.ca, found.cert, found.key], ["CA", "CERT", "KEY"]);
    assert.equal(await found.token?.(), "first");
    await Deno.writeTextFile(`${folder}/token`, "second\n");
    time += 59_999;
    assert.equal(await found.token?.(), "first");
    time += 1;
    assert.equal(await found.token?.(), "second");
  });
});

const refused: Record<string, [config: string, context: string | undefined, message: RegExp]> = {
  "an empty file": ["", undefined, /no context ""/],
  "a context that does not exist": [kubeconfig(""), "other", /no context "other"/],
  "a context without a cluster": [kubeconfig(""), "broken", /has no server/],
  "TLS that is not checked": [
    kubeconfig("", "server: https://x, insecure-skip-tls-verify: true"),
    undefined,
    /insecure-skip-tls-verify is not supported/,
  ],
  "a credential plugin": [kubeconfig("exec: {command: rm}"), undefined, /plugins are not supported/],
  "an auth provider": [kubeconfig("auth-provider: {name: gcp}"), undefined, /plugins are not supported/],
};

for (const [name, [config, context, message]] of Object.entries(refused)) {
  Deno.test(`kubeconfigCredentials() refuses ${name}`, async () => {
    await inFolder(
      { config },
      (folder) => assert.rejects(kubeconfigCredentials(`${folder}/config`, { context }), { message }),
    );
  });
}

Deno.test("inClusterCredentials() reads the mounted service account, and its token anew after a minute", async () => {
  await inFolder({ "ca.crt": "CA", namespace: "ops\n", token: "first\n" }, async (folder) => {
    let time = 0;
    const found = await inClusterCredentials({ host: "10.0.0.1", port: "443" }, { folder, now: () => time });
    assert.deepEqual([found.server, found.ca, found.namespace], ["https://10.0.0.1:443", "CA", "ops"]);
    assert.equal(await found.token?.(), "first");
    await Deno.writeTextFile(`${folder}/token`, "second\n");
    time += 60_000;
    assert.equal(await found.token?.(), "second");
  });
});

Deno.test("inClusterCredentials() does not remember that a token could not be read", async () => {
  await inFolder({ "ca.crt": "", namespace: "", token: "first" }, async (folder) => {
    const found = await inClusterCredentials({ host: "x", port: "1" }, { folder, now: () => 0 });
    await Deno.rename(`${folder}/token`, `${folder}/away`);
    await assert.rejects(found.token!(), Deno.errors.NotFound);
    await Deno.rename(`${folder}/away`, `${folder}/token`);
    assert.equal(await found.token?.(), "first");
  });
});

Deno.test("inClusterCredentials() puts brackets around an IPv6 address", async () => {
  await inFolder({ "ca.crt": "", namespace: "", token: "" }, async (folder) => {
    assert.equal(
      (await inClusterCredentials({ host: "fd00::1", port: "443" }, { folder })).server,
      "https://[fd00::1]:443",
    );
  });
});

Deno.test("inClusterCredentials() says so where no token is mounted", async () => {
  await inFolder(
    {},
    (folder) => assert.rejects(inClusterCredentials({ host: "x", port: "1" }, { folder }), Deno.errors.NotFound),
  );
});
