/**
 * A git server in the cluster: private repositories over HTTPS with a login, and over SSH with a key.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { dirname, join } from "node:path";
import { committed, git } from "../registry/git_server.ts";
import { type Cluster, PATIENT_PROBE } from "./cluster.ts";
import { FORGE, forgeProgram } from "./images.ts";

const NAMESPACE = "maquette-e2e-forge";
const HOST = `git.${NAMESPACE}.svc`;
const POD = "git";
const USERNAME = "robot";
const PASSWORD = "correct horse $(battery) staple";
const SETTINGS = "settings";
const USER = { runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, runAsNonRoot: true };

/** What the program prints: PEM, but for the line of `known_hosts`. */
interface Keys {
  certificate: string;
  key: string;
  hostKey: string;
  clientKey: string;
  knownHosts: string;
}

/** The server, and the checkouts that are pushed to it. */
export class Forge implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #folder: string;
  readonly #keys: Keys;

  private constructor(cluster: Cluster, folder: string, keys: Keys) {
    this.#cluster = cluster;
    this.#folder = folder;
    this.#keys = keys;
  }

  /** Starts it. @param image has `sh` and `git` */
  static async open(cluster: Cluster, image: string): Promise<Forge> {
    const { stdout } = await new Deno.Command(await forgeProgram(), { args: ["keys", HOST] }).output();
    const keys: Keys = JSON.parse(new TextDecoder().decode(stdout));
    const forge = new Forge(cluster, await Deno.makeTempDir({ prefix: "maquette-forge-" }), keys);
    await cluster.terminal.apply(...objects(image, keys));
    await cluster.plane.kubectl(["wait", "--for=condition=Ready", `pod/${POD}`, "-n", NAMESPACE, "--timeout=300s"]);
    return forge;
  }

  /** Addresses that whoever fetches must be allowed to reach: with a kube-proxy, policies see the Pod's. */
  async ranges(): Promise<string[]> {
    const pod = await this.#cluster.terminal.get("pod", POD, NAMESPACE);
    const service = await this.#cluster.terminal.get("service", "git", NAMESPACE);
    return [`${pod!.status.podIP}/32`, `${service!.spec.clusterIP}/32`];
  }

  /** What a Project says of a repository that it reaches over HTTPS. The Secret's name is `git-login`. */
  https(name: string): Record<string, unknown> {
    return { repositoryUrl: `https://${HOST}/${name}.git`, branch: "main", secretRef: { name: "git-login" } };
  }

  /** What a Project says of a repository that it reaches over SSH. The Secret's name is `git-key`. */
  ssh(name: string): Record<string, unknown> {
    return { repositoryUrl: `ssh://git@${HOST}/srv/${name}.git`, branch: "main", secretRef: { name: "git-key" } };
  }

  /** Secrets that open its repositories, for the namespace of a Project. */
  logins(namespace: string): unknown[] {
    const secret = (name: string, type: string, stringData: Record<string, string>): unknown => (
      { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, type: `kubernetes.io/${type}`, stringData }
    );
    const { clientKey, knownHosts } = this.#keys;
    return [
      secret("git-login", "basic-auth", { username: USERNAME, password: PASSWORD }),
      secret("git-key", "ssh-auth", { "ssh-privatekey": clientKey, known_hosts: knownHosts }),
    ];
  }

  /** PEM of the authority that its certificate is good by. */
  get authority(): string {
    return this.#keys.certificate;
  }

  /** Words that must be read nowhere. */
  get secrets(): string[] {
    return [PASSWORD, this.#keys.clientKey.split("\n")[3]!];
  }

  /** Makes a commit on `main` of a repository. @returns Its hash. */
  async commit(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
    const work = join(this.#folder, name);
    const isNew = await Deno.mkdir(work).then(() => true, () => false);
    if (isNew) await git(work, "init", "-q");
    for (const [path, content] of Object.entries(files)) {
      await Deno.mkdir(dirname(join(work, path)), { recursive: true });
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(join(work, path), bytes, { mode: 0o755 });
    }
    const commit = await committed(work, "change");
    await this.#push(name, work);
    return commit;
  }

  /** By a bundle: only the Pod's own network leads to the server. */
  async #push(name: string, work: string): Promise<void> {
    const bundle = join(this.#folder, `${name}.bundle`);
    await git(work, "bundle", "create", "-q", bundle, "main");
    const script =
      `set -e; cd /srv; [ -d ${name}.git ] || git init -q --bare -b main ${name}.git; base64 -d > /tmp/bundle;
      git -C ${name}.git fetch -q /tmp/bundle "+refs/heads/*:refs/heads/*"`;
    await this.#cluster.plane.kubectl(["exec", "-i", "-n", NAMESPACE, POD, "--", "sh", "-c", script], {
      stdin: Buffer.from(await Deno.readFile(bundle)).toString("base64"),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster.plane.kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found"]);
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function objects(image: string, { certificate, key, hostKey, clientKey }: Keys): unknown[] {
  const metadata = (name: string): Record<string, unknown> => ({ name, namespace: NAMESPACE, labels: { app: "git" } });
  const stringData = {
    FORGE_CERTIFICATE: certificate,
    FORGE_KEY: key,
    FORGE_USERNAME: USERNAME,
    FORGE_PASSWORD: PASSWORD,
    FORGE_HOST_KEY: hostKey,
    FORGE_CLIENT_KEY: clientKey,
  };
  const tools = { name: "tools", mountPath: "/tools" };
  const server = {
    name: "git",
    image,
    command: ["/tools/forge", "serve"],
    envFrom: [{ secretRef: { name: SETTINGS } }],
    env: [{ name: "HOME", value: "/tmp" }],
    readinessProbe: { httpGet: { path: "/healthz", port: 8443, scheme: "HTTPS" }, ...PATIENT_PROBE },
    volumeMounts: [tools, { name: "srv", mountPath: "/srv" }, { name: "tmp", mountPath: "/tmp" }],
  };
  const install = { name: "install", image: FORGE, args: ["install", "/tools/forge"], volumeMounts: [tools] };
  const ports = [{ name: "https", port: 443, targetPort: 8443 }, { name: "ssh", port: 22, targetPort: 2222 }];
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    { apiVersion: "v1", kind: "Secret", metadata: metadata(SETTINGS), stringData },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: metadata(POD),
      spec: {
        securityContext: USER,
        terminationGracePeriodSeconds: 1,
        initContainers: [install],
        containers: [server],
        volumes: ["tools", "srv", "tmp"].map((name) => ({ name, emptyDir: {} })),
      },
    },
    { apiVersion: "v1", kind: "Service", metadata: metadata("git"), spec: { selector: { app: "git" }, ports } },
  ];
}
