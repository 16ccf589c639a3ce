import assert from "node:assert/strict";
import { gitHosts, gitHostsText, isForHost } from "./git_host.ts";
import { ANNOTATION_GIT_HOST } from "./names.ts";

function pinned(hosts?: string): Parameters<typeof gitHosts>[0] {
  const annotations = hosts === undefined ? {} : { annotations: { [ANNOTATION_GIT_HOST]: hosts } };
  return { metadata: { name: "git", namespace: "acme", ...annotations } };
}

const CASES: Record<string, [hosts: string | undefined, host: string, is: boolean]> = {
  "one that says nothing is for all": [undefined, "github.com", true],
  "the host that it names": ["github.com", "github.com", true],
  "one of several, whatever the white space": [" git.example.com ,github.com", "github.com", true],
  "letters are the same in both cases": ["GitHub.com", "GITHUB.com", true],
  "a port counts": ["git.example.com:8443", "git.example.com:8443", true],
  "another port does not": ["git.example.com:8443", "git.example.com", false],
  "no port does not mean every port": ["git.example.com", "git.example.com:8443", false],
  "not a host that ends like it": ["github.com", "evil-github.com", false],
  "not a host below it": ["github.com", "evil.github.com", false],
  "not a host that begins like it": ["github.com", "github.com.evil.example", false],
  "one that names nobody is for nobody": ["", "github.com", false],
  "nor for the host without a name": [",", "", false],
};

for (const [sentence, [hosts, host, is]] of Object.entries(CASES)) {
  Deno.test(`isForHost(): ${sentence}`, () => assert.equal(isForHost(pinned(hosts), host), is));
}

Deno.test("gitHostsText() names the hosts and the annotation", () => {
  const annotation = '(annotation "maquette.dev/git-host")';
  assert.equal(gitHostsText(pinned("b, a")), `for git at "b", "a" only ${annotation}`);
  assert.equal(gitHostsText(pinned(" ")), `for git at no host only ${annotation}`);
});
