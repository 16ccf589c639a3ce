/**
 * What the network policies of a preview keep in and out, where something enforces them. Whatever must not be reached is
 * reached from elsewhere in the same test: a server that is not there would prove nothing.
 */
import assert from "node:assert/strict";
import { waitFor, waitUntil } from "../wait.ts";
import type { Answer } from "./ask.ts";
import { Cluster, DOMAIN, webPreview } from "./cluster.ts";
import { WEB } from "./images.ts";
import { isEndToEnd, settings } from "./settings.ts";
import { Transcript } from "./transcript.ts";

const OUTSIDE = "maquette-e2e-outside";
const METADATA = "http://169.254.169.254:8775/";

const isEnforced = isEndToEnd && settings().enforcesPolicies;

Deno.test({ name: "the network of a preview on a real node", ignore: !isEnforced }, async (t) => {
  await using cluster = await Cluster.prepare();
  const { terminal, plane } = cluster;
  const transcript = new Transcript();
  transcript.section("What a preview reaches, and who reaches it");

  /** What a preview's Pod gets from an address: asked through the ingress controller. */
  const fromPreview = async (pr: number, path: string): Promise<string> => {
    const { status, text } = await cluster.ask(`http://pr-${pr}.${DOMAIN}${path}`);
    return `${status} ${text}`;
  };
  /** What a Pod without policies gets. */
  const fromOutside = async (url: string): Promise<string> => {
    const { stdout, stderr } = await plane.kubectl(["exec", "-n", OUTSIDE, "client", "--", "/web", "get", url], {
      check: false,
    });
    return (stdout + stderr).trim();
  };
  const get = (url: string): string => `/get?url=${encodeURIComponent(url)}`;
  const open = `http://open.${OUTSIDE}.svc.cluster.local/`;
  const other = "http://pr-1-svc.preview-pr-1.svc.cluster.local/";

  try {
    await terminal.create(...outside());
    await terminal.apply(webPreview(1, "v1"), webPreview(2, "v1"));
    for (const pr of [1, 2]) await terminal.untilPhase(`pr-${pr}`, "Ready", 120_000);
    await plane.kubectl(["wait", "--for=condition=Ready", "pod", "--all", "-n", OUTSIDE, "--timeout=300s"]);

    await t.step("the ingress controller reaches it", async () => {
      const answer = await cluster.untilAnswers(`http://pr-1.${DOMAIN}/`, ({ status }) => status === 200);
      transcript.quote(`GET http://pr-1.${DOMAIN}/ by the ingress controller`, `${answer.status} ${answer.text}`);
    });

    await t.step("it resolves names", async () => {
      const path = "/lookup?name=kubernetes.default.svc.cluster.local";
      const isAddress = ({ status, text }: Answer): boolean => status === 200 && /^\d+\.\d+\.\d+\.\d+/.test(text);
      const answer = await cluster.untilAnswers(`http://pr-2.${DOMAIN}${path}`, isAddress);
      transcript.quote(`pr-2: ${path}`, `${answer.status} ${answer.text}`);
    });

    await t.step("a Pod of another preview does not reach it", async () => {
      const answer = await fromPreview(2, get(other));
      assert.match(answer, /^502 .*(deadline|timeout|refused|unreachable)/);
      transcript.quote(`pr-2: GET ${other}`, answer);
    });

    await t.step("a Pod from elsewhere does not reach it, though it reaches others", async () => {
      const opened = await waitUntil(
        "the open one to answer",
        () => fromOutside(open),
        (text) => /^200 web v1/.test(text),
      );
      const answer = await fromOutside(other);
      assert.match(answer, /deadline|timeout|refused|unreachable/);
      transcript.quote(`a Pod without policies: GET ${open}`, opened);
      transcript.quote(`the same Pod: GET ${other}`, answer);
    });

    await t.step("it does not reach what runs elsewhere in the cluster", async () => {
      const answer = await fromPreview(2, get(open));
      assert.match(answer, /^502/);
      transcript.quote(`pr-2: GET ${open}`, answer);
    });

    await t.step("it does not reach the metadata address, which answers others", async () => {
      const instance = await waitFor("the metadata service to answer a Pod without policies", async () => {
        const answer = await fromOutside(METADATA);
        return answer.includes("instance-id") && answer;
      });
      const answer = await fromPreview(2, get(METADATA));
      assert.match(answer, /^502 .*(deadline|timeout|refused|unreachable)/);
      transcript.quote(`a Pod without policies: GET ${METADATA}`, instance);
      transcript.quote(`pr-2: GET ${METADATA}`, answer);
    });
  } finally {
    await plane.kubectl(["delete", "namespace", OUTSIDE, "--ignore-not-found"]);
  }
});

/** A namespace without policies: a client, a server, and a node that plays a cloud's. */
function outside(): unknown[] {
  const namespace = OUTSIDE;
  const pod = (name: string, command: string, spec: Record<string, unknown> = {}): unknown => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      containers: [{ name: "web", image: `${WEB}:v1`, args: [command], ...spec.container as object }],
      // What they do in the end takes them five seconds.
      terminationGracePeriodSeconds: 15,
      ...(spec.pod as object),
    },
  });
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    pod("client", "serve"),
    pod("open", "serve"),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "open", namespace },
      spec: { selector: { app: "open" }, ports: [{ port: 80, targetPort: 8000 }] },
    },
    pod("metadata", "metadata", {
      pod: { hostNetwork: true },
      container: { securityContext: { runAsUser: 0, capabilities: { add: ["NET_ADMIN", "NET_BIND_SERVICE"] } } },
    }),
  ];
}
