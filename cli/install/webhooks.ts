/**
 * The webhook configurations of an installation. Pure.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import type { Config } from "../../lib/config.ts";
import { type WebhookClient, webhookConfigurations } from "../../webhook/configuration.ts";
import { ALL_RULES } from "../../webhook/rules/mod.ts";

const SERVICE_PORT = 443;

/** Both configurations. While no replica answers, creating and changing our kinds is refused; deleting is not. */
export function webhookObjects(config: Config): KubeObject[] {
  return webhookConfigurations({
    rules: ALL_RULES,
    client: webhookClient(config),
    failurePolicy: "Fail",
    operatorNamespace: config.namespace,
  });
}

function webhookClient({ webhookUrl, webhookService: name, namespace }: Config): WebhookClient {
  return webhookUrl ? { url: webhookUrl } : { service: { name, namespace, port: SERVICE_PORT } };
}

/** The names that the API server reaches admission by: what the certificate is for. */
export function webhookNames({ webhookUrl, webhookService: service, namespace }: Config): string[] {
  if (webhookUrl) return [new URL(webhookUrl).hostname.replace(/^\[|\]$/g, "")];
  return [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`];
}
