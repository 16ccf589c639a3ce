/**
 * What stands in the repositories of end-to-end tests: the web server, built or prebuilt, and how it is deployed.
 *
 * @module
 */
import { stringify } from "yaml";
import { PATIENT_PROBE } from "./cluster.ts";
import { WEB, webProgram } from "./images.ts";

/** Files of a commit. */
export type Files = Record<string, string | Uint8Array>;

const LABELS = { app: "web" };
const PORT = 8000;

/** A Dockerfile whose image says `web <text>`; a step of it runs what it has copied. */
export async function dockerfile(text: string): Promise<Files> {
  const lines = [
    "FROM scratch",
    "COPY web /web",
    `RUN ["/web", "touch", "/built"]`,
    `ENV VERSION=${text}`,
    "USER 65532",
    `ENTRYPOINT ["/web"]`,
    `CMD ["serve"]`,
  ];
  return { Dockerfile: `${lines.join("\n")}\n`, web: await Deno.readFile(await webProgram()) };
}

/** A chart that leaves its image to values. */
export function chart(): Files {
  const { deployment, service } = manifests("{{ .Release.Name }}-web", "IMAGE");
  const image = `"{{ .Values.image.repository }}:{{ .Values.image.tag }}"`;
  return {
    "chart/Chart.yaml": stringify({ apiVersion: "v2", name: "shop", version: "0.1.0" }),
    "chart/values.yaml": stringify({ image: { repository: "example.test/none", tag: "none" } }),
    "chart/templates/web.yaml": `${stringify(deployment).replace("IMAGE", image)}---\n${stringify(service)}`,
  };
}

/** An overlay that says which version of the prebuilt image runs. */
export function kustomization(newTag: string): Files {
  const { deployment, service } = manifests("web", WEB);
  return {
    "base/web.yaml": `${stringify(deployment)}---\n${stringify(service)}`,
    "base/kustomization.yaml": stringify({ resources: ["web.yaml"] }),
    "overlays/preview/kustomization.yaml": stringify({
      resources: ["../../base"],
      namePrefix: "preview-",
      images: [{ name: WEB, newTag }],
    }),
  };
}

/** A folder of manifests with the prebuilt image of a version. */
export function folder(tag: string): Files {
  const { deployment, service } = manifests("web", `${WEB}:${tag}`);
  return { "manifests/deployment.yaml": stringify(deployment), "manifests/service.yaml": stringify(service) };
}

function manifests(name: string, image: string): { deployment: unknown; service: unknown } {
  const readinessProbe = { httpGet: { path: "/", port: PORT }, ...PATIENT_PROBE };
  const container = { name: "web", image, args: ["serve"], ports: [{ containerPort: PORT }], readinessProbe };
  return {
    deployment: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name },
      spec: {
        selector: { matchLabels: LABELS },
        template: { metadata: { labels: LABELS }, spec: { containers: [container] } },
      },
    },
    service: {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: { selector: LABELS, ports: [{ name: "http", port: 80, targetPort: PORT }] },
    },
  };
}
