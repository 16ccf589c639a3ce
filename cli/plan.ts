/**
 * `maquette plan`
 *
 * @module
 */
import { apiVersionOf, type KubeObject } from "../lib/api/object.ts";
import { withDefaults } from "../lib/api/validate.ts";
import { type CommandLine, UsageError } from "../lib/config.ts";
import { systemClock } from "../lib/runtime/clock.ts";
import type { ControllerDefinition, GatherDeps, Lister } from "../lib/runtime/definition.ts";
import { stamp } from "../lib/runtime/ownership.ts";
import { rfc3339 } from "../lib/runtime/status.ts";
import { type Command, EXIT, type World } from "./command.ts";
import { createControllers } from "./controllers.ts";
import { type FileObject, readObjects } from "./files.ts";
import { judgeFileObject } from "./judge.ts";
import { toYaml } from "./yaml.ts";

/** Prints what would be created. */
export const planCommand: Command = Object.freeze(
  {
    name: "plan",
    summary: "print what would be created for the objects of a file, as YAML",
    extra: { file: { type: "string", short: "f" } },
    extraHelp: ["-f, --file FILE               objects to plan; - reads standard input"],
    teaching: [
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
  let refused = false;
  for (const item of objects) {
    const { object, problems } = judgeFileObject(item, config);
    if (problems.length > 0) {
      refused = true;
      const name = `${item.kind.resource.kind} "${item.object.metadata?.name ?? ""}"`;
      world.err(
        `${name} would be refused:\n${problems.map(({ field, message }) => `  ${field}: ${message}`).join("\n")}`,
      );
    } else world.out(toYaml(await planned(item, object, definitions)));
  }
  return refused ? EXIT.no : EXIT.good;
}

async function planned(
  item: FileObject,
  admitted: KubeObject,
  definitions: ControllerDefinition[],
): Promise<KubeObject[]> {
  const definition = definitions.find(({ kind }) => kind === item.kind.resource)!;
  const filled = withDefaults(item.kind, admitted);
  const creationTimestamp = rfc3339(systemClock.now());
  const owner = { ...filled, metadata: { ...filled.metadata, uid: UNKNOWN_UID, generation: 1, creationTimestamp } };
  const { desired = [] } = definition.decide(await definition.gather(owner, nothingThere()), systemClock.now());
  return desired.map((object) => stamp(object, owner));
}

/** A cluster with no children yet, in which everything that a spec names exists. */
function nothingThere(): GatherDeps {
  const none: Lister = { get: () => undefined, values: () => [], size: 0, ownedBy: () => [], indexed: () => [] };
  const refuse = (): never => {
    throw new Error("A plan asks no cluster");
  };
  return {
    clock: systemClock,
    kube: { get: refuse, logs: refuse },
    wake: () => {},
    cache: (resource, scope) => scope === "children" ? none : { ...none, get: (key) => assumed(resource, key) },
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
