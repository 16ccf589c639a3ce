import assert from "node:assert/strict";
import { repositoryMachine } from "./repository_host.ts";

const MACHINES: Record<string, string | undefined> = {
  "https://Git.example.com/a.git": "git.example.com",
  "https://git.example.com:8443/a.git": "git.example.com",
  "https://someone@git.example.com./a.git": "git.example.com",
  "ssh://git@GIT.example.com:2222/a.git": "git.example.com",
  "git@git.example.com:a.git": "git.example.com",
  "https://[2001:db8::1]:8443/a.git": "[2001:db8::1]",
  "no address": undefined,
};

Deno.test("a repository's machine is the same however its address is written", () => {
  for (const [url, machine] of Object.entries(MACHINES)) assert.equal(repositoryMachine(url), machine, url);
});
