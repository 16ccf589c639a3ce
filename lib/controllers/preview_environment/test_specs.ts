/**
 * Legal specs and settings of every shape, for property tests.
 *
 * @module
 */
import fc from "fast-check";
import type { PreviewEnvironment } from "../../api/preview_environment.ts";
import type { PreviewSettings } from "./settings.ts";
import { preview, SETTINGS } from "./test_objects.ts";

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
const objectName = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?(\.[a-z0-9]{1,9})?$/);
const digest = fc.stringMatching(/^[a-f0-9]{64}$/).map((hex) => `@sha256:${hex}`);
const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,30}$/);
const repository = fc.stringMatching(
  /^([a-z0-9]{1,9}\.test(:5000)?\/)?[a-z0-9]{1,9}([._-][a-z0-9]{1,5})?(\/[a-z0-9]{1,9}){0,2}$/,
);
const image = fc.oneof(
  fc.record({ image: repository, image_tag: tag }),
  fc.tuple(repository, tag).map(([name, of]) => ({ image: `${name}:${of}` })),
  fc.tuple(repository, tag).map(([name, of]) => ({ image: `${name}:${of}`, image_tag: of })),
  fc.tuple(repository, digest).map(([name, of]) => ({ image: `${name}${of}` })),
  fc.tuple(repository, tag, digest).map(([name, of, hash]) => ({ image: `${name}:${of}${hash}` })),
);

const variable = fc.stringMatching(/^[-._a-zA-Z][-._a-zA-Z0-9]{0,20}$/).filter((name) => !/^\.\.?$|^\.\./.test(name));
const keyRef = fc.record({ name: objectName, key: fc.stringMatching(/^[a-zA-Z0-9][-._a-zA-Z0-9]{0,20}$/) }, {
  requiredKeys: ["name", "key"],
});
const value = fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) => !text.includes("\0"));
const env = fc.uniqueArray(
  fc.oneof(
    fc.record({ name: variable, value }),
    fc.record({ name: variable, valueFrom: fc.record({ secretKeyRef: keyRef }) }),
    fc.record({ name: variable, valueFrom: fc.record({ configMapKeyRef: keyRef }) }),
    fc.record({ name: variable, valueFrom: fc.constant({ fieldRef: { fieldPath: "status.podIP" } }) }),
  ),
  { selector: ({ name }) => name, maxLength: 4 },
);
const reference = fc.record({ name: objectName, optional: fc.boolean() }, { requiredKeys: ["name"] });
const envFrom = fc.array(
  fc.oneof(
    fc.record({ secretRef: reference, prefix: variable }, { requiredKeys: ["secretRef"] }),
    fc.record({ configMapRef: reference }),
  ),
  { maxLength: 3 },
);

const cpu = fc.oneof(
  fc.integer({ min: 0, max: 4 }),
  fc.constantFrom("10m", "250m", "0.5", "1.5", "2", "1e1", "1500000u", ".5"),
);
const memory = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 31 }),
  fc.constantFrom("16Mi", "128Mi", "1.5Gi", "1G", "500000k", "1e9", "129e6", "2Gi"),
);
const amounts = fc.record({ cpu, memory, "ephemeral-storage": memory }, { requiredKeys: [] });
// Requests above limits are illegal: one side only, or the same on both.
const resources = fc.oneof(
  fc.record({ requests: amounts }),
  fc.record({ limits: amounts }),
  amounts.map((both) => ({ requests: both, limits: both })),
  fc.constant({}),
);

/** Legal specs, all fields. */
export const specs: fc.Arbitrary<Record<string, unknown>> = fc.tuple(
  image,
  fc.record({
    pr_number: fc.integer({ min: 1, max: 999_999 }),
    branch_name: fc.string({ minLength: 1, maxLength: 80 }),
  }),
  fc.record({
    ttl_seconds: fc.integer({ min: 60, max: 604_800 }),
    repository: fc.stringMatching(/^[A-Z]?[-._a-zA-Z0-9]{0,40}[a-z0-9]\/[._]?[a-zA-Z0-9]{1,60}$/),
    namespace: label.filter((name) => name !== "default" && !name.startsWith("kube-")),
    port: fc.integer({ min: 1, max: 65_535 }),
    replicas: fc.integer({ min: 1, max: 20 }),
    env,
    env_from: envFrom,
    resources,
    health_path: fc.stringMatching(/^\/[!-~]{0,40}$/),
    image_pull_secrets: fc.uniqueArray(fc.record({ name: objectName }), { selector: ({ name }) => name, maxLength: 3 }),
    ttl_from: fc.constantFrom("created", "updated"),
  }, { requiredKeys: [] }),
).map((parts) => Object.assign({}, ...parts));

/** Legal environments. */
export const previews: fc.Arbitrary<PreviewEnvironment> = fc.tuple(
  specs,
  fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,70}[a-z0-9])?$/).filter((name) => !/[.-][.-]/.test(name)),
  fc.uuid(),
).map(([spec, name, uid]) => preview(spec, { metadata: { name, uid } }));

/** Settings that differ in what changes the children. */
export const settings: fc.Arbitrary<PreviewSettings> = fc.record({
  tls: fc.constantFrom<PreviewSettings["tls"]>(
    { mode: "cert-manager", clusterIssuer: "letsencrypt" },
    { mode: "wildcard", secret: "wildcard-tls" },
    { mode: "none" },
  ),
  clusterRanges: fc.subarray(["10.0.0.0/8", "172.16.0.0/12", "100.64.0.0/10", "fc00::/7", "2001:db8::/32"]),
  domain: fc.constantFrom("preview.test", "localhost", "a.b.c.example.com"),
}).map((changed) => ({ ...SETTINGS, ...changed }));
