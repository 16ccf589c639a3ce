/**
 * `maquette plan`
 *
 * @module
 */
import { resolve } from "node:path";
import { ENVIRONMENT } from "../lib/api/environment.ts";
import { PROJECT } from "../lib/api/project.ts";
import { apiVersionOf, keyOf, type KubeObject } from "../lib/api/object.ts";
import { withDefaults } from "../lib/api/validate.ts";
import { type CommandLine, type Config, UsageError } from "../lib/config.ts";
import type { Seen } from "../lib/controllers/environment/gather.ts";
import { systemClock } from "../lib/runtime/clock.ts";
import type { ControllerDefinition, GatherDeps, Lister } from "../lib/runtime/definition.ts";
import { stamp } from "../lib/runtime/ownership.ts";
import { rfc3339 } from "../lib/runtime/status.ts";
import { type Command, EXIT, type World } from "./command.ts";
import { FileSurroundings } from "./file_surroundings.ts";
import { plannedFromSource, planRenderer, type SourcePlan } from "./plan_source.ts";
import { createControllers } from "./controllers.ts";
import { type FileObject, readObjects } from "./files.ts";
import { judgeFileObject } from "./judge.ts";
import { toYaml } from "./yaml.ts";

/** Prints what would be created. */
export const planCommand: Command = Object.freeze(
  {
    name: "plan",
    summary: "print what would be created for the objects of a file, as YAML",
    extra: { file: { type: "string", short: "f" }, source: { type: "string" } },
    extraHelp: [
      "-f, --file FILE               objects to plan; - reads standard input",
      "    --source FOLDER           a checkout: what Environments would deploy is rendered from it",
    ],
    teaching: [
      "An Environment is planned with its Project, which stands in the same file. Without --source only its own objects",
      "are shown; with it also what is deployed, by the renderer (--renderer). Secrets are shown without their content.",
      "Needs no cluster. Give it the flags that the operator runs with. Copies of Secrets and ConfigMaps are shown without",
      "their content. Exit code 1: at least one object would be refused; maquette check says why.",
      "",
      "Example:",
      "  maquette plan -f deploy/samples/preview_environment.yaml --domain preview.example.com",
    ],
    isConfigured: true,
    run: plan,
  } satisfies Command,
);

/** Stands where the API server would put the uid. */
const UNKNOWN_UID = "00000000-0000-0000-0000-000000000000";

async function plan({ config, extra }: CommandLine, world: World): Promise<number> {
  const { objects, others } = await readObjects(extra.file, world);
  for (const other of others) world.err(`Passed over, not a kind of ours: ${other}`);
  if (objects.length === 0) throw new UsageError("No object of our kinds in the file");
  const definitions = createControllers(config);
  const around = new FileSurroundings(objects, config.domain);
  const source = sourcePlan(extra.source, config);
  let refused = false;
  for (const item of objects) {
    const { object, problems } = judgeFileObject(item, config, around);
    if (problems.length > 0) {
      refused = true;
      const name = `${item.kind.resource.kind} "${item.object.metadata?.name ?? ""}"`;
      world.err(
        `${name} would be refused:\n${problems.map(({ field, message }) => `  ${field}: ${message}`).join("\n")}`,
      );
      continue;
    }
    around.admit({ ...item, object });
    try {
      world.out(toYaml(await planned({ ...item, object }, { definitions, around, source })));
    } catch (error) {
      refused = true;
      world.err((error as Error).message);
    }
  }
  return refused ? EXIT.no : EXIT.good;
}

interface Planning {
  definitions: ControllerDefinition[];
  around: FileSurroundings;
  source?: SourcePlan;
}

function sourcePlan(folder: unknown, config: Config): SourcePlan | undefined {
  if (folder === undefined) return undefined;
  return { folder: resolve(String(folder)), renderer: planRenderer(config) };
}

async function planned(item: FileObject, { definitions, around, source }: Planning): Promise<KubeObject[]> {
  const definition = definitions.find(({ kind }) => kind === item.kind.resource)!;
  const filled = withDefaults(item.kind, item.object);
  const creationTimestamp = rfc3339(systemClock.now());
  const owner = { ...filled, metadata: { ...filled.metadata, uid: UNKNOWN_UID, generation: 1, creationTimestamp } };
  const seen = await definition.gather(owner, nothingThere(around));
  if (item.kind === ENVIRONMENT && !(seen as Seen).project) {
    throw new Error(`Environment "${keyOf(owner)}": its Project is not in the file, and is needed for a plan`);
  }
  const { desired = [], report } = definition.decide(seen, systemClock.now());
  if (report.state === "stalled") throw new Error(`${item.kind.resource.kind} "${keyOf(owner)}": ${report.message}`);
  if (source && item.kind === ENVIRONMENT) return shownOnly(await plannedFromSource(seen as Seen, source));
  return desired.map((object) => stamp(object, owner));
}

/** A cluster with no children yet, in which everything that a spec names exists. */
function nothingThere({ projects }: FileSurroundings): GatherDeps {
  const none: Lister = { get: () => undefined, values: () => [], size: 0, ownedBy: () => [], indexed: () => [] };
  const refuse = (): never => {
    throw new Error("A plan asks no cluster");
  };
  return {
    clock: systemClock,
    kube: { get: refuse, logs: refuse },
    wake: () => {},
    cache: (resource, scope) => {
      if (resource === PROJECT.resource) return projects;
      return scope === "children" ? none : { ...none, get: (key) => assumed(resource, key) };
    },
  };
}

function assumed(resource: Parameters<GatherDeps["cache"]>[0], key: string): KubeObject {
  const [namespace, name = ""] = key.split("/");
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { name, namespace, uid: UNKNOWN_UID, resourceVersion: "0" },
  };
}

/** What is in Secrets is for nobody's terminal. */
function shownOnly(objects: readonly KubeObject[]): KubeObject[] {
  return objects.map((object) => {
    if (object.kind !== "Secret") return object;
    const { data: _, stringData: __, ...rest } = object as KubeObject & Record<string, unknown>;
    return rest as KubeObject;
  });
}
