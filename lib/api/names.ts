/**
 * The names that Maquette writes into a cluster. All of them are load-bearing: objects that already exist carry them,
 * so changing one orphans fields or children (SPEC section 1).
 *
 * @module
 */

/** What labels and annotations of ours begin with, but for a few that all tools share. */
export const OWN_PREFIX = "maquette.dev/";
/** Field manager of every child object (server-side apply). */
export const FIELD_MANAGER = "maquette";
/** Field manager of the status of our own kinds. */
export const STATUS_FIELD_MANAGER = "maquette-status";
/** Keeps an owner until what it made is gone. */
export const FINALIZER = "maquette.dev/cleanup";

/** Marks every child; the child informers select by it. */
export const LABEL_MANAGED_BY = "app.kubernetes.io/managed-by";
/** Value of {@link LABEL_MANAGED_BY}. */
export const MANAGED_BY = "maquette";
export const LABEL_INSTANCE = "app.kubernetes.io/instance";
export const LABEL_PART_OF = "app.kubernetes.io/part-of";
/** `metadata.uid` of the owner: what ownership is decided by. */
export const LABEL_OWNER_UID = "maquette.dev/owner-uid";
/** `<Kind>.<group>/<namespace>/<name>` of the owner, for people and for finding the owner after it was made anew. */
export const ANNOTATION_OWNER = "maquette.dev/owner";
/** Digest of what was last applied: a difference means that the wish changed, even where a field was only dropped. */
export const ANNOTATION_APPLIED = "maquette.dev/applied";

/** `"true"` stops changes to an owner's children (not deletion). */
export const ANNOTATION_PAUSED = "maquette.dev/paused";
/** Another value of it has what failed tried again at once. */
export const ANNOTATION_RETRY = "maquette.dev/retry";
/** RFC 3339 time until which a PreviewEnvironment is kept beyond its TTL. */
export const ANNOTATION_EXTEND_UNTIL = "maquette.dev/extend-until";
/** `metadata.generation` of the DatabaseMigration whose changes after the rollout may run. */
export const ANNOTATION_CONTRACT_APPROVED = "maquette.dev/contract-approved";
/** `<namespace>/<name>@<uid>/<resourceVersion>` of the object that a copied ConfigMap or Secret was taken from. */
export const ANNOTATION_SOURCE = "maquette.dev/source-version";
/** Digest of the content of a ConfigMap or copy, so that a change by hand shows. */
export const ANNOTATION_CONTENT = "maquette.dev/content";
/** On a Secret: the hosts whose git repositories it opens (`github.com, git.example.com:8443`). Left out: any. */
export const ANNOTATION_GIT_HOST = "maquette.dev/git-host";
/** On a Pod template: changes with the content of the copied Secrets that its Pods use, so that they are rolled. */
export const ANNOTATION_SECRETS = "maquette.dev/secrets-digest";

/** Team that a Project or Environment belongs to; where it is absent, it follows from namespaces and names. */
export const LABEL_TEAM = "catalyst.dev/team";
/** Project that an Environment is an instance of, likewise. */
export const LABEL_PROJECT = "catalyst.dev/project";
/** Name of an Environment within its project, likewise. */
export const LABEL_ENVIRONMENT = "catalyst.dev/environment";
/** Branch that an environment shows, on its namespace. */
export const LABEL_BRANCH = "catalyst.dev/branch";
/** `<service>` or `<service>:<port>` that an Environment's Ingress leads to, where the convention does not find it. */
export const ANNOTATION_SERVICE = "maquette.dev/service";

/** Of an Environment's Namespace: its one host. */
export const ANNOTATION_HOST = "maquette.dev/host";
/** What the names of the policies begin with that hold what runs in an environment to what may be deployed there. */
export const BOUNDARY_POLICY = "maquette-boundary";

/** Of the operator's Namespace: the replica that leads, as the Lease names it. */
export const ANNOTATION_LEADER = "maquette.dev/leader";
/** What the names of the policies begin with that refuse the writes of those who do not lead. */
export const FENCE_POLICY = "maquette-fence";

/** Marks what came from the source of an environment, beside what the environment itself is made of. */
export const LABEL_DEPLOYED = "maquette.dev/deployed";
/** On a rendered object: `disabled` keeps it when it leaves the source, `enabled` lets go of what is kept else (a claim). */
export const ANNOTATION_PRUNE = "maquette.dev/prune";
/** On the Job of a hook: the event that it ran at (`pre-install` …). */
export const ANNOTATION_HOOK = "maquette.dev/hook";
/** On the Job of a hook: the revision that it ran for. */
export const ANNOTATION_REVISION = "maquette.dev/revision";
