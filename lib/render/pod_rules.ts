/**
 * What Pods of an environment may not have: Pod Security's level "baseline", said before anything is made. Admission
 * enforces it; this names the object and the field.
 *
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
 * @module
 */
import { type Container, containersOf, isRecord, type PodSpec } from "./pod_templates.ts";

const CAPABILITIES: ReadonlySet<unknown> = new Set([
  ...["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP"],
  ...["SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"],
]);

const SYSCTLS: ReadonlySet<unknown> = new Set([
  ...["kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"],
  ...["net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports"],
  ...["net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl"],
  ...["net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"],
]);

/** What is wrong with a Pod, in words, in the order of its fields. */
export function podProblems(spec: PodSpec): string[] {
  const containers = containersOf(spec);
  return [
    ...["hostNetwork", "hostPID", "hostIPC"].filter((field) => spec[field] === true).map((field) => `${field} is true`),
    ...records(spec.volumes).filter(({ hostPath }) => isRecord(hostPath))
      .map(({ name, hostPath }) => `volume "${name}" is the node's own "${(hostPath as { path?: unknown }).path}"`),
    ...contextProblems(spec.securityContext, "the Pod"),
    ...containers.flatMap(containerProblems),
  ];
}

function containerProblems(container: Container): string[] {
  const title = `container "${container.name}"`;
  const { privileged, procMount, capabilities } = field(container.securityContext);
  const added = field(capabilities).add;
  const ports = records(container.ports).map(({ hostPort }) => hostPort).filter((port) =>
    port !== undefined && port !== 0
  );
  return [
    ...(privileged === true ? [`${title} is privileged`] : []),
    ...(Array.isArray(added) ? added : []).filter((name) => !CAPABILITIES.has(name))
      .map((name) => `${title} adds the capability ${name}`),
    ...ports.map((port) => `${title} uses port ${port} of the node`),
    ...(procMount !== undefined && procMount !== "Default" ? [`${title} has procMount ${procMount}`] : []),
    ...contextProblems(container.securityContext, title),
  ];
}

/** What Pods and containers have in common. */
function contextProblems(context: unknown, title: string): string[] {
  const { seccompProfile, appArmorProfile, windowsOptions, sysctls } = field(context);
  return [
    ...(field(seccompProfile).type === "Unconfined" ? [`${title} has no seccomp profile (Unconfined)`] : []),
    ...(field(appArmorProfile).type === "Unconfined" ? [`${title} has no AppArmor profile (Unconfined)`] : []),
    ...(field(windowsOptions).hostProcess === true ? [`${title} is a process of the Windows host`] : []),
    ...records(sysctls).filter(({ name }) => !SYSCTLS.has(name)).map(({ name }) => `${title} sets the sysctl ${name}`),
  ];
}

function field(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
