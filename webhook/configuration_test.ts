import assert from "node:assert/strict";
import { type ConfigurationOptions, webhookConfigurations } from "./configuration.ts";
import { ALL_RULES } from "./rules/mod.ts";

const OPTIONS: ConfigurationOptions = {
  rules: ALL_RULES,
  client: { service: { name: "maquette-webhook", namespace: "maquette-system", port: 443 } },
  failurePolicy: "Fail",
  operatorNamespace: "maquette-system",
};

Deno.test("webhookConfigurations() asks about our kinds alone, when they are created and updated", () => {
  for (const { webhooks } of webhookConfigurations(OPTIONS)) {
    assert.deepEqual(webhooks.length, 1);
    assert.deepEqual(webhooks[0].rules, [
      {
        apiGroups: ["devops.orima.com"],
        apiVersions: ["v1"],
        resources: ["previewenvironments"],
        operations: ["CREATE", "UPDATE"],
        scope: "Namespaced",
      },
      {
        apiGroups: ["cadumillani.com.br"],
        apiVersions: ["v1"],
        resources: ["printers"],
        operations: ["CREATE", "UPDATE"],
        scope: "Namespaced",
      },
      ...["projects", "environments"].map((plural) => ({
        apiGroups: ["catalyst.catalyst.dev"],
        apiVersions: ["v1alpha1"],
        resources: [plural],
        operations: ["CREATE", "UPDATE"],
        scope: "Namespaced",
      })),
      ...["portfolioapps", "databasemigrations"].map((plural) => ({
        apiGroups: ["portfolio.example.com"],
        apiVersions: ["v1alpha1"],
        resources: [plural],
        operations: ["CREATE", "UPDATE"],
        scope: "Namespaced",
      })),
    ]);
  }
});

Deno.test("webhookConfigurations() follows the good practice of Kubernetes", () => {
  for (const { webhooks: [webhook] } of webhookConfigurations(OPTIONS)) {
    assert.equal(webhook.sideEffects, "None");
    assert.equal(webhook.matchPolicy, "Equivalent");
    assert.ok(webhook.timeoutSeconds <= 3);
    assert.deepEqual(webhook.namespaceSelector.matchExpressions[0].values, ["kube-system", "maquette-system"]);
    assert.equal(webhook.clientConfig.caBundle, undefined);
  }
});

Deno.test("webhookConfigurations() leads to a Service or to a URL", () => {
  function clients(options: ConfigurationOptions): unknown[] {
    return webhookConfigurations(options).map(({ webhooks }) => webhooks[0].clientConfig);
  }
  const service = { name: "maquette-webhook", namespace: "maquette-system", port: 443 };
  assert.deepEqual(clients(OPTIONS), [
    { service: { ...service, path: "/mutate" } },
    { service: { ...service, path: "/validate" } },
  ]);
  assert.deepEqual(clients({ ...OPTIONS, client: { url: "https://127.0.0.1:9443/" } }), [
    { url: "https://127.0.0.1:9443/mutate" },
    { url: "https://127.0.0.1:9443/validate" },
  ]);
});

Deno.test("webhookConfigurations() gives the same every time, and shares nothing", () => {
  const [first] = webhookConfigurations(OPTIONS);
  const before = structuredClone(first);
  first.metadata.labels!.changed = "yes";
  first.webhooks[0].matchConditions[0].name = "changed";
  assert.deepEqual(webhookConfigurations(OPTIONS)[0], before);
});
