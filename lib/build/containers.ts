/**
 * The containers of a build's Pod. Pure.
 *
 * The source is fetched by a container of its own, which alone is given the repository's login: a Dockerfile can read
 * every secret that its builder is given (`RUN --mount=type=secret`, and all of the file system with Kaniko), and it is
 * whoever opened the pull request that wrote it. So the builder gets a folder, and no git login at all.
 *
 * @module
 */
import { posix } from "node:path";
import { imageOf } from "./names.ts";
import type { BuildOptions, BuildRequest } from "./request.ts";
import { BUILDKIT_SCRIPT, FETCH_SCRIPT } from "./scripts.ts";
import { buildkitdToml, gitOrigin } from "./settings.ts";

type Container = Record<string, unknown>;

/** Name of the container that builds and pushes; its termination message is the image's digest. */
export const BUILDER = "build";
/** Name of the container that fetches the source. */
export const FETCHER = "fetch";

/** Volumes of the Pod, by name. */
export const VOLUMES = { work: "work", tmp: "tmp", git: "git-login", registry: "registry-login" } as const;

const HOME = "/maquette";
const SOURCE = `${HOME}/source`;
const SETTINGS = `${HOME}/settings`;
const GIT_LOGIN = "/git-login";
const DOCKER_CONFIG = "/registry-login";
const KANIKO_CONFIG = "/kaniko/.docker";
const MOST = { drop: ["ALL"] };
/** What Docker gives to root, without NET_RAW; all of it is admitted by baseline. */
const KANIKO_CAPABILITIES = [
  ...["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"],
  ...["SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"],
];
const ROOT = { runAsNonRoot: false, runAsUser: 0, runAsGroup: 0 };
const FETCH_RESOURCES = { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "512Mi" } };

/** Brings the commit into the volume that the builder reads. */
export function fetchContainer(request: BuildRequest, options: BuildOptions): Container {
  const { repositoryUrl, commit, context, dockerfile, builder, gitSecret } = request;
  return {
    name: FETCHER,
    image: builder === "buildkit" ? options.buildkitImage : options.gitImage,
    command: ["sh", "-c", FETCH_SCRIPT],
    env: variables({
      HOME: "/tmp",
      SOURCE,
      SETTINGS,
      LOGIN: GIT_LOGIN,
      REPOSITORY_URL: repositoryUrl,
      ORIGIN: gitOrigin(repositoryUrl),
      COMMIT: commit,
      CONTEXT: context,
      DOCKERFILE: dockerfile,
      CA_CERTIFICATES: options.caCertificates.trim(),
      BUILDKITD_TOML: buildkitdToml(options),
      // Nobody is there to ask (`true` answers with nothing), and nothing of the image's own configuration counts.
      GIT_ASKPASS: "true",
      GIT_TERMINAL_PROMPT: "0",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_ALLOW_PROTOCOL: "https:http:git:ssh",
    }),
    resources: FETCH_RESOURCES,
    securityContext: {
      ...closed({ seccomp: { type: "RuntimeDefault" } }),
      readOnlyRootFilesystem: true,
      // Kaniko keeps the owner of what it copies into an image, where Docker and BuildKit say root.
      ...(builder === "kaniko" ? ROOT : {}),
    },
    volumeMounts: [
      mount(VOLUMES.work, HOME),
      mount(VOLUMES.tmp, "/tmp"),
      ...(gitSecret ? [{ ...mount(VOLUMES.git, GIT_LOGIN), readOnly: true }] : []),
    ],
  };
}

/** Builds and pushes. */
export function buildContainer(request: BuildRequest, options: BuildOptions): Container {
  return request.builder === "buildkit" ? buildkit(request, options) : kaniko(request, options);
}

/**
 * BuildKit in a user namespace. `newuidmap` maps the ids: it needs SETUID and SETGID, and to be allowed to gain what
 * the file says that it gains. Both are admitted by baseline.
 */
function buildkit(request: BuildRequest, options: BuildOptions): Container {
  const context = posix.join(SOURCE, request.context);
  const dockerfile = posix.join(context, request.dockerfile);
  return {
    name: BUILDER,
    image: options.buildkitImage,
    command: ["sh", "-c", BUILDKIT_SCRIPT, "sh"],
    args: [
      ...["--frontend", "dockerfile.v0"],
      ...["--local", `context=${context}`, "--local", `dockerfile=${posix.dirname(dockerfile)}`],
      ...["--opt", `filename=${posix.basename(dockerfile)}`],
      ...["--output", `type=image,name=${imageOf(request)},push=true`],
    ].map(literal),
    env: variables({
      HOME,
      SETTINGS,
      TMPDIR: "/tmp",
      XDG_RUNTIME_DIR: `${HOME}/run`,
      BUILDKIT_HOST: `unix://${HOME}/run/buildkitd.sock`,
      DOCKER_CONFIG,
      SSL_CERT_DIR: `/etc/ssl/certs:${SETTINGS}`,
    }),
    resources: options.resources,
    securityContext: {
      ...(options.seccompProfile
        ? { seccompProfile: { type: "Localhost", localhostProfile: options.seccompProfile } }
        : {}),
      ...(options.appArmorProfile
        ? { appArmorProfile: { type: "Localhost", localhostProfile: options.appArmorProfile } }
        : {}),
      allowPrivilegeEscalation: true,
      readOnlyRootFilesystem: true,
      capabilities: { ...MOST, add: ["SETUID", "SETGID"] },
    },
    volumeMounts: [...builderMounts(request, DOCKER_CONFIG), mount(VOLUMES.tmp, "/tmp")],
  };
}

/** Kaniko unpacks images over its own file system as root, without any namespace; it has no shell. */
function kaniko(request: BuildRequest, options: BuildOptions): Container {
  const context = posix.join(SOURCE, request.context);
  const mirrors = [...options.mirrors].flatMap(([registry, all]) => {
    const from = registry === "docker.io" ? "index.docker.io" : registry;
    return all.map((mirror) => `--registry-map=${from}=${mirror}`);
  });
  return {
    name: BUILDER,
    image: options.kanikoImage,
    args: [
      `--context=dir://${context}`,
      `--dockerfile=${posix.join(context, request.dockerfile)}`,
      `--destination=${imageOf(request)}`,
      "--digest-file=/dev/termination-log",
      "--ignore-path=/maquette",
      "--log-format=text",
      ...options.insecureRegistries.map((registry) => `--insecure-registry=${registry}`),
      ...mirrors,
    ].map(literal),
    env: variables({ DOCKER_CONFIG: KANIKO_CONFIG, SSL_CERT_DIR: `/kaniko/ssl/certs:${SETTINGS}` }),
    resources: options.resources,
    securityContext: {
      ...closed({ seccomp: { type: "RuntimeDefault" } }),
      ...ROOT,
      capabilities: { ...MOST, add: KANIKO_CAPABILITIES },
    },
    volumeMounts: builderMounts(request, KANIKO_CONFIG),
  };
}

function builderMounts({ pushSecret }: BuildRequest, login: string): Container[] {
  return [
    mount(VOLUMES.work, HOME),
    ...(pushSecret ? [{ ...mount(VOLUMES.registry, login), readOnly: true }] : []),
  ];
}

function closed({ seccomp }: { seccomp: Record<string, unknown> }): Record<string, unknown> {
  return { allowPrivilegeEscalation: false, capabilities: MOST, seccompProfile: seccomp };
}

function mount(name: string, mountPath: string): Container {
  return { name, mountPath };
}

/** An empty value is left out of the object by the API server, and kept as an empty variable. */
function variables(values: Record<string, string>): Container[] {
  return Object.entries(values).map(([name, value]) => value === "" ? { name } : { name, value: literal(value) });
}

/** The kubelet would put variables in the place of `$(NAME)`. */
function literal(text: string): string {
  return text.replaceAll("$", () => "$$");
}
