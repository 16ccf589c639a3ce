/**
 * `maquette manifests`
 *
 * @module
 */
import { type CommandLine, UsageError } from "../lib/config.ts";
import { parseReference } from "../lib/image/reference.ts";
import { type Command, EXIT } from "./command.ts";
import { DEFAULT_IMAGE, DEFAULT_REPLICAS, installation } from "./install/objects.ts";
import { toYaml } from "./yaml.ts";

/** Prints everything to install. */
export const manifestsCommand: Command = Object.freeze(
  {
    name: "manifests",
    summary: "print everything to install: CRDs, RBAC, Deployment, webhooks",
    extra: { image: { type: "string" }, replicas: { type: "string" }, only: { type: "string" } },
    extraHelp: [
      `--image IMAGE                 the operator's own image (default ${DEFAULT_IMAGE})`,
      `--replicas N                  how many of it (default ${DEFAULT_REPLICAS})`,
      "--only PART[,PART]            of namespace, crds, rbac, fence, boundary, operator, webhooks",
    ],
    teaching: [
      "The flags below become the container's arguments, and decide what the roles allow.",
      "",
      "Examples:",
      "  maquette manifests --domain preview.example.com | kubectl apply --server-side -f -",
      "  maquette manifests --only crds,rbac > install.yaml",
    ],
    isConfigured: true,
    run(line, world): number {
      world.out(toYaml(chosenParts(line)));
      return EXIT.good;
    },
  } satisfies Command,
);

function chosenParts({ config, extra }: CommandLine): unknown[] {
  const { image = DEFAULT_IMAGE, replicas = String(DEFAULT_REPLICAS), only } = extra as Record<
    string,
    string | undefined
  >;
  const parsed = parseReference(image);
  if (!parsed.ok) throw new UsageError(`--image: ${parsed.problem}`);
  if (!/^[1-9]\d?$/.test(replicas)) {
    throw new UsageError(`--replicas: "${replicas}" must be a whole number from 1 to 99`);
  }
  const parts = installation({ config, image, replicas: Number(replicas) });
  const wanted = only?.split(",") ?? [...parts.keys()];
  return wanted.flatMap((name) => {
    const part = parts.get(name);
    if (!part) throw new UsageError(`--only: no part "${name}", there are ${[...parts.keys()].join(", ")}`);
    return part;
  });
}
