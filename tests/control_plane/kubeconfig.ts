import type { KeyPair } from "./certificates.ts";

/** How somebody proves who they are. */
export type Credentials = KeyPair | { token: string };

/**
 * The text of a kubeconfig with everything inside it, so that the file can be moved.
 *
 * @param server URL of the API server
 * @param caPem certificate of its authority
 */
export function kubeconfig(server: string, caPem: string, credentials: Credentials): string {
  const user = "token" in credentials ? { token: credentials.token } : {
    "client-certificate-data": btoa(credentials.certificate),
    "client-key-data": btoa(credentials.key),
  };
  // JSON is YAML.
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "maquette", cluster: { server, "certificate-authority-data": btoa(caPem) } }],
      users: [{ name: "maquette", user }],
      contexts: [{ name: "maquette", context: { cluster: "maquette", user: "maquette" } }],
      "current-context": "maquette",
    },
    null,
    2,
  );
}
