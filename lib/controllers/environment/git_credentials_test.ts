import assert from "node:assert/strict";
import type { KubeObject } from "../../api/object.ts";
import { repositoryHost } from "../../render/repository_host.ts";
import { gitCredentials } from "./git_credentials.ts";

const HOSTS: Record<string, [url: string, host: string | undefined]> = {
  "of https": ["https://git.example.com/acme/shop.git", "git.example.com"],
  "with a port": ["https://git.example.com:8443/acme/shop.git", "git.example.com:8443"],
  "without the port that goes without saying": ["https://git.example.com:443/acme/shop.git", "git.example.com"],
  "of ssh, without its user": ["ssh://git@git.example.com:2222/acme/shop.git", "git.example.com:2222"],
  "of git's short form": ["git@git.example.com:acme/shop.git", "git.example.com"],
  "of nothing": ["/srv/git/shop.git", undefined],
};

for (const [sentence, [url, host]] of Object.entries(HOSTS)) {
  Deno.test(`repositoryHost() finds the host ${sentence}`, () => assert.equal(repositoryHost(url), host));
}

function secret(data: Record<string, string>): KubeObject {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, btoa(value)]));
  return { apiVersion: "v1", kind: "Secret", metadata: { name: "git", namespace: "acme" }, data: encoded };
}

Deno.test("gitCredentials() reads logins and keys, for the repository's own host", () => {
  const url = "https://git.example.com/acme/shop.git";
  assert.deepEqual(gitCredentials(secret({ username: "me", password: "p", other: "x" }), url), {
    host: "git.example.com",
    username: "me",
    password: "p",
  });
  const ssh = gitCredentials(secret({ "ssh-privatekey": "key", known_hosts: "hosts" }), "git@git.example.com:a/b");
  assert.deepEqual(ssh, { host: "git.example.com", sshPrivateKey: "key", knownHosts: "hosts" });
  assert.throws(() => gitCredentials(secret({ token: "t" }), "/srv/git"), { reason: "InvalidUrl" });
});

const ELSEWHERE: Record<string, string> = {
  "another host": "https://collector.example/acme/shop.git",
  "another port of the host": "https://git.example.com:8443/acme/shop.git",
  "ssh to another host": "git@collector.example:acme/shop.git",
};

Deno.test("gitCredentials() gives a login to the hosts that its Secret names", () => {
  const login = secret({ token: "t" });
  login.metadata.annotations = { "maquette.dev/git-host": "github.com,git.example.com" };
  for (const url of ["https://git.example.com/acme/shop.git", "git@GitHub.com:acme/shop"]) {
    assert.equal(gitCredentials(login, url).token, "t");
  }
  for (const [name, url] of Object.entries(ELSEWHERE)) {
    const refusal = { reason: "LoginRefused", isTemporary: false, message: /^Secret "acme\/git" is for git at / };
    assert.throws(() => gitCredentials(login, url), refusal, name);
  }
});
