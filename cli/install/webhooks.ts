/**
 * The webhook configurations of an installation, and the certificate behind them. Pure.
 *
 * @module
 */
import type { KubeObject } from "../../lib/api/object.ts";
import type { Config } from "../../lib/config.ts";
import { type WebhookClient, webhookConfigurations } from "../../webhook/configuration.ts";
import { ALL_RULES } from "../../webhook/rules/mod.ts";
import { certificateObjects, injectionAnnotations } from "./certificates.ts";

const SERVICE_PORT = 443;

/**
 * Both configurations, after what cert-manager needs where it makes the certificate. While no replica answers, creating
 * and changing our kinds is refused; deleting is not.
 */
export function webhookObjects(config: Config): KubeObject[] {
  const configurations = webhookConfigurations({
    rules: ALL_RULES,
    client: webhookClient(config),
    failurePolicy: "Fail",
    operatorNamespace: config.namespace,
    annotations: injectionAnnotations(config),
  });
  return [...certificateObjects(config, webhookNames(config)), ...configurations];
}

function webhookClient({ webhookUrl, webhookService: name, namespace }: Config): WebhookClient {
  return webhookUrl ? { url: webhookUrl } : { service: { name, namespace, port: SERVICE_PORT } };
}

/** The names that the API server reaches admission by: what the certificate is for. */
export function webhookNames({ webhookUrl, webhookService: service, namespace }: Config): string[] {
  if (webhookUrl) return [new URL(webhookUrl).hostname.replace(/^\[|\]$/g, "")];
  return [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`];
}
