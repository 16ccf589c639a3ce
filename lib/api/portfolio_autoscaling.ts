/**
 * `spec.autoscaling` of a PortfolioApp: what its HorizontalPodAutoscaler is made of.
 *
 * @module
 */
import { z } from "zod";
import { list, quantity, text } from "./fields.ts";
import { objectName } from "./fields.ts";
import { textMap } from "./portfolio_fields.ts";
import { type Rule, withRules } from "./rules.ts";

const MAX_REPLICAS = 100;
const LABEL_NAMES = "^[-._/a-zA-Z0-9]+$";
const METRIC_KINDS = ["pods", "external", "object"] as const;

const selector = textMap({
  names: LABEL_NAMES,
  message: "Must have label names",
  max: 16,
  length: 63,
}).optional();

const metric = withRules(
  z.object({
    pods: z.object({
      name: text(1, 253).describe("Name of the metric."),
      selector: selector.describe("Labels that tell which series are meant."),
      averageValue: quantity().describe("Value for each Pod that is aimed at."),
    }).optional().describe("A metric that each Pod has (custom.metrics.k8s.io)."),
    external: z.object({
      name: text(1, 253).describe("Name of the metric."),
      selector: selector.describe("Labels that tell which series are meant."),
      value: quantity().optional().describe("Value that is aimed at, for all Pods together."),
      averageValue: quantity().optional().describe("Value for each Pod that is aimed at, instead."),
    }).optional().describe(
      "A metric that no object of the cluster has (external.metrics.k8s.io): the length of a queue.",
    ),
    object: z.object({
      name: text(1, 253).describe("Name of the metric."),
      selector: selector.describe("Labels that tell which series are meant."),
      describedObject: z.object({
        apiVersion: text(1, 253).describe("API of the object, for instance networking.k8s.io/v1."),
        kind: text(1, 63).describe("Kind of the object, for instance Ingress."),
        name: objectName().describe("Name of the object, in the namespace of this one."),
      }).describe("The object that has the metric."),
      value: quantity().describe("Value that is aimed at."),
    }).optional().describe("A metric that another object has (custom.metrics.k8s.io): requests of an Ingress."),
  }),
  {
    cel: `[${METRIC_KINDS.map((kind) => `has(self.${kind})`).join(", ")}].filter(given, given).size() == 1`,
    holds: (value) => METRIC_KINDS.filter((kind) => value[kind] !== undefined).length === 1,
    reads: METRIC_KINDS,
    message: `Must have exactly one of ${METRIC_KINDS.join(", ")}`,
  },
  {
    cel: "!has(self.external) || has(self.external.value) != has(self.external.averageValue)",
    holds: ({ external }) =>
      external === undefined || (external.value !== undefined) !== (external.averageValue !== undefined),
    reads: ["external"],
    field: ["external"],
    message: "Must have exactly one of value and averageValue",
  },
);

const shape = z.object({
  minReplicas: z.int().min(1).max(MAX_REPLICAS).default(1).describe("Fewest Pods."),
  maxReplicas: z.int().min(1).max(MAX_REPLICAS).describe("Most Pods."),
  targetCPUUtilizationPercentage: z.int().min(1).max(1000).optional()
    .describe("Processor time that is aimed at, in percent of what Pods request; 80 where no metric is given at all."),
  targetMemoryUtilizationPercentage: z.int().min(1).max(1000).optional()
    .describe("Memory that is aimed at, in percent of what Pods request."),
  metrics: list(metric, 8).optional().describe(
    "Other metrics that are aimed at; the one that asks for most Pods counts.",
  ),
});

/** What a PortfolioApp says about its autoscaler. */
export const autoscaling = shape;

/** `spec.autoscaling`, defaults filled in. */
export type Autoscaling = z.output<typeof shape>;

/** One of `spec.autoscaling.metrics`. */
export type Metric = NonNullable<Autoscaling["metrics"]>[number];

/** The fewest are not more than the most. */
export const MINIMUM_WITHIN_MAXIMUM: Rule<{ autoscaling?: Autoscaling }> = {
  field: ["autoscaling", "minReplicas"],
  reads: ["autoscaling"],
  cel: "!has(self.autoscaling) || self.autoscaling.minReplicas <= self.autoscaling.maxReplicas",
  holds: ({ autoscaling: given }) => given === undefined || given.minReplicas <= given.maxReplicas,
  message: "Must be at most maxReplicas",
};
