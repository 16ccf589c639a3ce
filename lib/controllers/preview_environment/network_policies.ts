/**
 * Who may talk to a preview, and with whom it may talk. Pure.
 *
 * @module
 */
import type { KubeObject } from "../../api/object.ts";
import { defaultDeny, dns, inNamespace, internet, networkPolicy } from "../../workload/network_policy.ts";
import type { PreviewSettings } from "./settings.ts";

const ALL_PODS = {};
/** How cert-manager marks the Pod that answers an HTTP-01 challenge, and where that Pod listens. */
const SOLVER = { labels: { "acme.cert-manager.io/http01-solver": "true" }, port: 8089 };

/** Deny everything; then in from the ingress controller on the port, and out to DNS and to the internet. */
export function networkPolicies(namespace: string, port: number, settings: PreviewSettings): KubeObject[] {
  return [
    networkPolicy(namespace, "default-deny", defaultDeny()),
    networkPolicy(namespace, "allow-ingress", fromController(ALL_PODS, port, settings)),
    networkPolicy(namespace, "allow-egress", {
      podSelector: ALL_PODS,
      policyTypes: ["Egress"],
      egress: [dns(), internet(settings.clusterRanges)],
    }),
    ...(settings.tls.mode === "cert-manager" ? [solverPolicy(namespace, settings)] : []),
  ];
}

/** Without it no certificate is issued by HTTP-01: the challenge comes in through the ingress controller. */
function solverPolicy(namespace: string, settings: PreviewSettings): KubeObject {
  return networkPolicy(namespace, "allow-acme", fromController({ matchLabels: SOLVER.labels }, SOLVER.port, settings));
}

function fromController(
  podSelector: Record<string, unknown>,
  port: number,
  settings: PreviewSettings,
): Record<string, unknown> {
  const from = [inNamespace(settings.ingressNamespace)];
  return { podSelector, policyTypes: ["Ingress"], ingress: [{ from, ports: [{ protocol: "TCP", port }] }] };
}
