/**
 * Acting as a ServiceAccount (`Impersonate-User`), so that the API server judges a request by what that account may do.
 *
 * Only the user is sent. For the user of a ServiceAccount the API server adds the account's groups
 * (`system:serviceaccounts`, `system:serviceaccounts:<namespace>`, `system:authenticated`) by itself when none are sent;
 * sent by us they would each need a permission to impersonate that group. So all that is needed is the verb
 * `impersonate` on `serviceaccounts`, which RBAC can limit to one name with `resourceNames`.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
 * @module
 */
import { hasStatus, type KubeError } from "./errors.ts";

/** The user name of a ServiceAccount: what `KubeClient.with({ impersonate })` takes. */
export function serviceAccountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** Whether we were refused, and not the account that we act as. Both are a 403; only the words tell. */
export function mayNotImpersonate(error: unknown): error is KubeError {
  return hasStatus(error, 403) && /cannot impersonate\b/.test(error.message);
}
