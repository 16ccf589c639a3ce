import assert from "node:assert/strict";
import { hostname, type PreviewIdentity, targetNamespace } from "./preview_names.ts";

const LONG = "a-very-long-organisation-name/a-very-long-repository-name-with-words";

const NAMES: Record<string, { spec: PreviewIdentity; namespace: string; host: string }> = {
  "a pull request alone": {
    spec: { pr_number: 7 },
    namespace: "preview-pr-7",
    host: "pr-7.preview.test",
  },
  "a repository tells two pull requests of one number apart": {
    spec: { pr_number: 7, repository: "Acme/My_Shop" },
    namespace: "preview-acme-my-shop-pr-7",
    host: "pr-7-acme-my-shop.preview.test",
  },
  "an explicit namespace is taken as it stands": {
    spec: { pr_number: 7, namespace: "team-a" },
    namespace: "team-a",
    host: "pr-7.preview.test",
  },
  "an explicit namespace wins over the repository, which still makes the host": {
    spec: { pr_number: 7, repository: "acme/shop", namespace: "team-a" },
    namespace: "team-a",
    host: "pr-7-acme-shop.preview.test",
  },
  "names over 63 characters are hashed": {
    spec: { pr_number: 999_999, repository: LONG },
    namespace: "preview-a-very-long-organisation-name-a-very-long-reposit-def56",
    host: "pr-999999-a-very-long-organisation-name-a-very-long-repos-b9942.preview.test",
  },
};

for (const [sentence, { spec, namespace, host }] of Object.entries(NAMES)) {
  Deno.test(`preview names: ${sentence}`, () => {
    assert.equal(targetNamespace(spec), namespace);
    assert.equal(hostname(spec, "preview.test"), host);
  });
}
