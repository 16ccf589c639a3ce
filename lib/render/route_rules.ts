/**
 * What Ingresses and Services may not say about the way in: annotations and paths by which a source would have more of it
 * than its one host. As patterns that JavaScript and RE2 read alike, because the API server holds what runs to the same
 * (cli/install/boundary.ts).
 *
 * Annotations are told by their names alone: most controllers let their operator choose the prefix. Capitals make no
 * difference to Traefik, so they make none here. What leads to the environment's own Services, redirects its own visitors
 * or loosens its own protection is its own affair and no part of this: `x-forwarded-prefix`, `default-backend`,
 * `permanent-redirect`, `whitelist-source-range`.
 *
 * @see https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations-risk/
 * @see https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/ingress/
 * @see https://github.com/haproxytech/kubernetes-ingress/blob/master/documentation/annotations.md
 * @see https://haproxy-ingress.github.io/docs/configuration/keys/
 * @see https://kubernetes-sigs.github.io/external-dns/latest/docs/annotations/annotations/
 * @see https://cert-manager.io/docs/usage/ingress/#supported-annotations
 * @module
 */

/** Names without their prefix; of each, what it would do. */
const NAMES: Readonly<Record<string, string>> = {
  "server-alias(?:-regex)?": "answers for further hosts (ingress-nginx, haproxy-ingress)",
  "from-to-www-redirect": "answers for the domain above a host that begins with www (ingress-nginx)",
  "redirect-from(?:-regex)?": "answers for further hosts (haproxy-ingress)",
  "route-acl": "takes whatever requests a condition of its own fits (HAProxy)",
  "router[.](?:pathmatcher|rulesyntax)": "is a part of the rule that says which requests it takes (Traefik)",
  "router[.]tls[.]domains.*": "asks for certificates of further hosts (Traefik)",
  "tcp-service-port": "takes a port of the controller (haproxy-ingress)",
  ".*-snippets?": "is configuration as it stands (ingress-nginx, NGINX, HAProxy)",
  "config-(?:backend|tcp-service).*": "is configuration as it stands (haproxy-ingress)",
  "mirror-(?:target|host)": "sends every request to an address of its own, too (ingress-nginx)",
  "(?:agent|health)-check-addr": "is an address that the controller connects to (haproxy-ingress)",
  "upstream-vhost": "is the host that a proxy beside the controller, as meshes have it, goes by (ingress-nginx)",
  "set-host": "likewise (HAProxy)",
  "ingress[.]class": "chooses another controller",
};
/** Names with their prefix: others mean something else by what follows it. */
const WHOLE: Readonly<Record<string, string>> = {
  "external-dns[.]alpha[.]kubernetes[.]io/.*": "writes into DNS zones",
  "cert-manager[.]io/(?:alt-names|common-name)": "asks for certificates of further hosts",
};

/** Annotations that are left out of what is rendered. Capitals make no difference. */
export const LEFT_OUT = `^(?:(?:.*/)?(?:${alternatives(NAMES)})|${alternatives(WHOLE)})$`;

/**
 * The address that an ingress controller asks whether a request may pass. It is not left out but refused, because what
 * it protects would be open then. Capitals make no difference.
 */
export const AUTH_URL = "^(?:.*/)?auth-url$";
/** Values of {@link AUTH_URL} that lead where the request came in. */
export const OWN_AUTH_URL = "^https?://[$]host(?:/.*)?$";

/**
 * Paths of Ingresses. Others have been read as configuration by controllers that put them into theirs as they stand.
 *
 * @see https://github.com/kubernetes/kubernetes/issues/136678
 * @see https://github.com/traefik/traefik/pull/13227
 */
export const PLAIN_PATH = String.raw`^[^\s"\x27\x60;{}]*$`;

function alternatives(patterns: Readonly<Record<string, string>>): string {
  return Object.keys(patterns).join("|");
}
