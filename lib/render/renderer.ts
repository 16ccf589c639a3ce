/**
 * The one interface to fetching sources and rendering them, and what goes in and out of it.
 *
 * @module
 */
import type { z } from "zod";
import type { fetched, forgotten, rendering } from "./answers.ts";

/** Fetches commits and renders what is in them. Holds no state of an environment. */
export interface Renderer {
  /**
   * Brings a commit into the cache of checkouts; at once where it is there already.
   *
   * @throws {RenderError}
   */
  fetch(request: FetchRequest, options?: CallOptions): Promise<Fetched>;
  /** Removes checkouts that nobody needs any more. @throws {RenderError} */
  forget(request: ForgetRequest, options?: CallOptions): Promise<Forgotten>;
  /**
   * Renders a chart, a kustomization or manifests of a checkout. The same request gives the same answer, but for what
   * the answer warns of (`RenderingUnstable`).
   *
   * @throws {RenderError}
   */
  render(request: RenderRequest, options?: CallOptions): Promise<Rendering>;
}

/** Of one call. */
export interface CallOptions {
  /** Ends it: whoever asked needs the answer no more. */
  signal?: AbortSignal;
  /** For whom it is rendered; renderings of one owner take their turns. */
  owner?: string;
}

/** Which commit of which repository; render/internal/fetch/doc.go explains every field. */
export interface FetchRequest {
  repositoryUrl: string;
  /** The most exact one wins: commit, pull request, branch, the repository's default branch. */
  ref: { commit?: string; branch?: string; pullRequest?: number };
  /** Absolute path of the cache. */
  cacheDir: string;
  credentials?: FetchCredentials;
  allowedSchemes?: readonly string[];
  network?: {
    allowLoopback?: boolean;
    allowPlainCredentials?: boolean;
    /** CIDRs. */
    denied?: readonly string[];
    /** CIDRs, of the denied ones. */
    allowed?: readonly string[];
    /** Authorities in PEM that are trusted beside the system's. */
    caBundle?: string;
  };
  limits?: {
    bytes?: number;
    files?: number;
    seconds?: number;
    cacheBytes?: number;
    fileBytes?: number;
    keepSeconds?: number;
    memoryBytes?: number;
  };
}

/** The content of a Secret, and the only host that is given it. */
export interface FetchCredentials {
  host: string;
  username?: string;
  password?: string;
  token?: string;
  sshPrivateKey?: string;
  knownHosts?: string;
  caBundle?: string;
}

/** Checkouts by the paths of {@link Fetched}. */
export interface ForgetRequest {
  cacheDir: string;
  paths: readonly string[];
}

/** An image to put into what is rendered, by tag, by digest, or by both. */
export interface InjectedImage {
  /** Repository with its registry: `registry.example.com/acme/shop`. */
  repository: string;
  tag?: string;
  /** `sha256:…` */
  digest?: string;
}

/** What all renderings have. */
interface RenderPlace {
  /** Absolute path of the checkout. */
  root: string;
  /** Within it. */
  path: string;
  limits?: RenderLimits;
}

/** Bounds of one rendering; what is left out has the defaults of the program. */
export interface RenderLimits {
  seconds?: number;
  memoryBytes?: number;
  outputBytes?: number;
  objects?: number;
}

/** What is to be rendered; `type` is a Project's `deployment.type`. */
export type RenderRequest =
  | RenderPlace & {
    type: "helm";
    releaseName: string;
    namespace: string;
    values?: Readonly<Record<string, unknown>>;
    /** Of the cluster: `v1.36.3`. */
    kubeVersion: string;
    /** `apps/v1` and `apps/v1/Deployment`; without any, charts see those that Helm knows. */
    apiVersions?: readonly string[];
    inject?: { image?: InjectedImage; host?: string };
  }
  | RenderPlace & { type: "kustomize"; namespace: string; inject?: { image?: InjectedImage } }
  | RenderPlace & { type: "manifest" };

/** A commit in the cache. */
export type Fetched = z.output<typeof fetched>;
/** What became of checkouts that nobody needs. */
export type Forgotten = z.output<typeof forgotten>;
/** What was rendered. */
export type Rendering = z.output<typeof rendering>;
/** A rendered object and the file that it is from. */
export type RenderedObject = Rendering["objects"][number];
/** A hook of a Helm chart; they come in the order to run them. */
export type RenderedHook = Rendering["hooks"][number];
/** A reason for machines and a sentence for people. */
export type RenderWarning = Rendering["warnings"][number];
/** What was put where. */
export type Injection = Rendering["injected"][number];
