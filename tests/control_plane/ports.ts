import type { Ports } from "./components.ts";

/** Three loopback ports that nobody listened on a moment ago. */
export function freePorts(): Ports {
  const listeners = [0, 1, 2].map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const [etcd, api, kubelet] = listeners.map((listener) => (listener.addr as Deno.NetAddr).port) as [
    number,
    number,
    number,
  ];
  for (const listener of listeners) listener.close();
  return { etcd, api, kubelet };
}
