/**
 * What runs in the Pods of builds. No value is ever put into these texts: they read variables and files, quoted.
 *
 * @module
 */

/**
 * Brings the commit into `$SOURCE`, without its history, and writes what the builder reads into `$SETTINGS`.
 *
 * The login is sent to `$ORIGIN` only: git adds the header for URLs below it, and follows no redirect meanwhile. A
 * server that serves no bare commit is asked for all of its branches and tags. What is built must lie in the checkout:
 * a symbolic link may lead anywhere.
 */
export const FETCH_SCRIPT = `set -eu
fail() { printf '%s\\n' "$1" >&2; exit 1; }
mkdir -p "$SETTINGS"
authorities=$CA_CERTIFICATES
for file in ca.crt caFile; do
  [ ! -e "$LOGIN/$file" ] || authorities=$(printf '%s\\n' "$authorities"; cat "$LOGIN/$file")
done
[ -z "$CA_CERTIFICATES" ] || printf '%s\\n' "$CA_CERTIFICATES" > "$SETTINGS/ca.crt"
if [ -n "$authorities" ]; then
  { cat /etc/ssl/certs/ca-certificates.crt; printf '%s\\n' "$authorities"; } > "$HOME/ca.crt"
  export GIT_SSL_CAINFO="$HOME/ca.crt"
fi
printf '%s' "$BUILDKITD_TOML" > "$SETTINGS/buildkitd.toml"
key=
for file in identity ssh-privatekey; do [ ! -e "$LOGIN/$file" ] || key=$LOGIN/$file; done
if [ -n "$key" ]; then
  export GIT_SSH_COMMAND="ssh -i $key -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=$LOGIN/known_hosts"
elif [ -e "$LOGIN/password" ] || [ -e "$LOGIN/token" ]; then
  user=x-access-token password=
  [ ! -s "$LOGIN/username" ] || user=$(cat "$LOGIN/username")
  [ ! -e "$LOGIN/token" ] || password=$(cat "$LOGIN/token")
  [ ! -e "$LOGIN/password" ] || password=$(cat "$LOGIN/password")
  GIT_CONFIG_VALUE_0="Authorization: Basic $(printf '%s:%s' "$user" "$password" | base64 | tr -d '\\n')"
  export GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0="http.$ORIGIN/.extraHeader" GIT_CONFIG_VALUE_0
  export GIT_CONFIG_KEY_1=http.followRedirects GIT_CONFIG_VALUE_1=false
fi
git init -q "$SOURCE"
cd "$SOURCE"
git fetch -q --depth=1 --no-tags --no-recurse-submodules "$REPOSITORY_URL" "$COMMIT" ||
  git fetch -q --no-recurse-submodules "$REPOSITORY_URL" '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*'
git -c advice.detachedHead=false checkout -q --detach "$COMMIT" || fail "Commit $COMMIT is not in the repository"
rm -rf .git
root=$(pwd -P)
inside() { case "$1/" in "$root"/*) ;; *) fail "$2 leads out of the repository" ;; esac; }
context=$(cd "./$CONTEXT" 2> /dev/null && pwd -P) || fail "Context \\"$CONTEXT\\" is no folder of commit $COMMIT"
inside "$context" "Context \\"$CONTEXT\\""
file=$(readlink -f "./$CONTEXT/$DOCKERFILE") && [ -f "$file" ] ||
  fail "Dockerfile \\"$DOCKERFILE\\" is missing in folder \\"$CONTEXT\\" of commit $COMMIT"
inside "$file" "Dockerfile \\"$DOCKERFILE\\""
`;

/** Exit code of a build that never began, because BuildKit did not start: another try may help. */
export const DAEMON_FAILED = 69;

/**
 * Starts BuildKit, builds by the script's arguments, and leaves the digest of what was pushed as the container's
 * termination message. A build that fails ends with 1, whatever ended it.
 */
export const BUILDKIT_SCRIPT = `set -eu
mkdir -p "$XDG_RUNTIME_DIR"
rootlesskit buildkitd --config "$SETTINGS/buildkitd.toml" --root "$HOME/buildkit" --addr "$BUILDKIT_HOST" \\
  --oci-worker-no-process-sandbox > "$HOME/buildkitd.log" 2>&1 &
daemon=$!
tries=0
until buildctl debug workers > /dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 300 ] || ! kill -0 "$daemon" 2> /dev/null; then
    printf 'BuildKit did not start:\\n' >&2
    tail -n 15 "$HOME/buildkitd.log" >&2
    exit ${DAEMON_FAILED}
  fi
  sleep 0.1
done
buildctl build --progress=plain --metadata-file "$HOME/metadata.json" "$@" || exit 1
sed -n 's/.*"containerimage.digest": *"\\(sha256:[0-9a-f]*\\)".*/\\1/p' "$HOME/metadata.json" > /dev/termination-log
`;
