/**
 * The parts of a container that users write in more than one kind: environment, resources, pull secrets.
 *
 * @module
 */
import { z } from "zod";
import { list, listMap, matching, objectName, quantity, textWithoutNul } from "./fields.ts";
import { compareQuantities } from "./quantity.ts";
import { celField, type Rule, withRules } from "./rules.ts";

// What all supported Kubernetes versions take; newer ones take more.
const ENV_NAME_PATTERN = "^[-._a-zA-Z][-._a-zA-Z0-9]*$";
const KEY_PATTERN = "^[-._a-zA-Z0-9]+$";
const FIELD_PATH_PATTERN = "^(metadata\\.(name|namespace|uid)|metadata\\.(labels|annotations)\\['[-._/a-zA-Z0-9]+'\\]" +
  "|spec\\.(nodeName|serviceAccountName)|status\\.(hostIP|hostIPs|podIP|podIPs))$";
/** Linux takes 128 KiB for name and value of one variable; a character takes up to four bytes. */
const ENV_VALUE_LENGTH = 32_000;
const MAX_ENTRIES = 256;

function envName(): z.ZodString {
  const message = "Must be a variable name: letters, digits, _, - and dots, not starting with a digit";
  return matching(ENV_NAME_PATTERN, { max: 253, message });
}

/**
 * The rule that an object has one of two fields, and not both.
 *
 * CEL has no exclusive or; `!=` of two booleans is one.
 */
function exactlyOne<A extends string, B extends string>(a: A, b: B): Rule<{ [K in A | B]?: unknown }> {
  return {
    cel: `has(self.${a}) != has(self.${b})`,
    holds: (value) => (value[a] !== undefined) !== (value[b] !== undefined),
    reads: [a, b],
    message: `Must have exactly one of ${a} and ${b}`,
  };
}

function keyRef(kind: "Secret" | "ConfigMap"): z.ZodObject<KeyRefShape> {
  const keyMessage = "Must be a key: letters, digits, -, _ and dots";
  return z.object({
    name: objectName().describe(`Name of the ${kind}.`),
    key: matching(KEY_PATTERN, { max: 253, message: keyMessage }).describe(`Key in the ${kind}.`),
    optional: z.boolean().optional().describe(`True when the container may start without the ${kind} or the key.`),
  });
}

type KeyRefShape = { name: z.ZodString; key: z.ZodString; optional: z.ZodOptional<z.ZodBoolean> };

const SOURCES = ["secretKeyRef", "configMapKeyRef", "fieldRef"] as const;

type ValueFromShape = {
  secretKeyRef: z.ZodOptional<z.ZodObject<KeyRefShape>>;
  configMapKeyRef: z.ZodOptional<z.ZodObject<KeyRefShape>>;
  fieldRef: z.ZodOptional<z.ZodObject<{ fieldPath: z.ZodString }>>;
};

function valueFromIn(place: string): z.ZodObject<ValueFromShape> {
  return withRules(
    z.object({
      secretKeyRef: keyRef("Secret").optional().describe(`A key of a Secret in ${place}.`),
      configMapKeyRef: keyRef("ConfigMap").optional().describe(`A key of a ConfigMap in ${place}.`),
      fieldRef: z.object({
        fieldPath: matching(FIELD_PATH_PATTERN, {
          max: 400,
          message: "Must be a field that the kubelet offers, for instance metadata.name or status.podIP",
        }).describe("Path of the field, for instance metadata.name or status.podIP."),
      }).optional().describe("A field of the Pod."),
    }),
    {
      cel: `[${SOURCES.map((source) => `has(self.${source})`).join(", ")}].filter(given, given).size() == 1`,
      holds: (value) => SOURCES.filter((source) => value[source] !== undefined).length === 1,
      reads: SOURCES,
      message: `Must have exactly one of ${SOURCES.join(", ")}`,
    },
  );
}

type EnvVarShape = {
  name: z.ZodString;
  value: z.ZodOptional<z.ZodString>;
  valueFrom: z.ZodOptional<z.ZodObject<ValueFromShape>>;
};

/**
 * Environment variables, told apart by their names.
 *
 * @param place where the Secrets and ConfigMaps that they name are, in words
 */
export function envIn(place: string): z.ZodArray<z.ZodObject<EnvVarShape>> {
  const variable = withRules(
    z.object({
      name: envName().describe("Name of the variable."),
      value: textWithoutNul(ENV_VALUE_LENGTH).optional()
        .describe("Value of the variable. $(NAME) stands for a variable before it, $$ for a dollar sign."),
      valueFrom: valueFromIn(place).optional().describe("Where the value is taken from instead."),
    }),
    exactlyOne("value", "valueFrom"),
  );
  return listMap(variable, { key: "name", max: MAX_ENTRIES });
}

const envSource = withRules(
  z.object({
    prefix: envName().optional().describe("Put before the name of every variable."),
    secretRef: nameRef("Secret").optional().describe("A Secret in the namespace of this object."),
    configMapRef: nameRef("ConfigMap").optional().describe("A ConfigMap in the namespace of this object."),
  }),
  exactlyOne("secretRef", "configMapRef"),
);

function nameRef(kind: "Secret" | "ConfigMap"): z.ZodObject<Omit<KeyRefShape, "key">> {
  return z.object({
    name: objectName().describe(`Name of the ${kind}.`),
    optional: z.boolean().optional().describe(`True when the container may start without the ${kind}.`),
  });
}

/** Environment variables whose sources stand beside the object. */
export const env = envIn("the namespace of this object");

/** Secrets and ConfigMaps whose keys become environment variables. */
export const envFrom = list(envSource, 64);

/** Secrets with credentials for registries. */
export const imagePullSecrets = listMap(
  z.object({ name: objectName().describe("Name of a Secret of type kubernetes.io/dockerconfigjson.") }),
  { key: "name", max: 16 },
);

const RESOURCES = ["cpu", "memory", "ephemeral-storage"] as const;

const amounts = z.object({
  cpu: quantity().optional().describe("Processor time: 1 is one core, 250m a quarter of it."),
  memory: quantity().optional().describe("Memory in bytes, for instance 256Mi."),
  "ephemeral-storage": quantity().optional().describe("Space on the node's disk in bytes, for instance 1Gi."),
});

type Resources = { requests?: z.output<typeof amounts>; limits?: z.output<typeof amounts> };

/** A request is at most its limit: the scheduler keeps the request free, the kernel enforces the limit. */
function requestWithinLimit(resource: (typeof RESOURCES)[number]): Rule<Resources> {
  const field = celField(resource);
  const [request, limit] = [`self.requests.${field}`, `self.limits.${field}`];
  return {
    field: ["requests", resource],
    reads: ["requests", "limits"],
    cel: `!has(self.requests) || !has(self.limits) || !has(${request}) || !has(${limit})` +
      ` || quantity(string(${request})).compareTo(quantity(string(${limit}))) <= 0`,
    holds: ({ requests, limits }) => {
      const [low, high] = [requests?.[resource], limits?.[resource]];
      return low === undefined || high === undefined || compareQuantities(low, high) <= 0;
    },
    message: `Must be at most the limit of ${resource}`,
  };
}

/** What a container is given and what it may use. */
export const resources = withRules(
  z.object({
    requests: amounts.optional().describe("What is kept free for the container."),
    limits: amounts.optional().describe("What the container may use at most."),
  }),
  ...RESOURCES.map(requestWithinLimit),
);
