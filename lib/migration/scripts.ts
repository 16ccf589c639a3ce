/**
 * What runs in the Pods of migrations. No value is ever put into these texts: they read variables and files, quoted.
 *
 * A run tells what it found and did in the container's termination message, line by line as it goes, so that also one
 * that is killed has told how far it was: `before` and `after` with the positions of applied versions in the file
 * `versions` (`1-3,5`), `current` with the highest version of the history, `half` with the position of one that the
 * history calls failed. Where it refuses to begin, the reason is one of `order` (the position of what is too low, and the
 * highest version), `held` (the positions of a change after the rollout, and of the one before it that stands behind) and
 * `spelled` (a position, and the spelling that is applied); and last, after the line `error`, what the tool said.
 *
 * @module
 */

/** Exit code of a run that another try may help: the database was away, or the tool was killed. */
export const TRY_AGAIN = 75;

/** What is said for a tool that could not say anything. */
const KILLED = "The tool was killed: it may have too little memory";

/** What tools say when the database was not there or went away, beside SQL states. */
const AWAY = [
  KILLED,
  "SQL State *: *(08|57P0|53300|40001|40P01)",
  "Connection to .* refused",
  "Connection refused",
  "connection attempt failed",
  "I/O error occurred while sending to the backend",
  "connection has been closed",
  "the database system is (starting up|shutting down|in recovery mode)",
  "terminating connection",
  "Communications link failure",
  "Could not connect to",
  "UnknownHostException",
  "[Tt]oo many (clients|connections)",
  "Connection (reset|is closed|was killed)",
  "Socket (error|timeout|fail)",
  "unexpected end of stream",
  "Server shutdown in progress",
  "Deadlock found when trying to get lock",
].join("|");

/** What MariaDB's driver says behind `Could not connect to`, and no other try changes. */
const REFUSED = "Access denied for user|Unknown database|is not allowed to connect|insecure transport";

/** Compares versions number by number, digits as texts: awk counts in floating point. */
const AWK_VERSIONS = `
function plain(v,  n, i, p, out) {
  n = split(v, p, ".")
  for (i = 1; i <= n; i++) { sub(/^0+/, "", p[i]); if (p[i] == "") p[i] = "0" }
  while (n > 1 && p[n] == "0") n--
  for (i = 1; i <= n; i++) out = out (i > 1 ? "." : "") p[i]
  return out
}
function before(a, b,  n, m, i, p, q, x, y) {
  n = split(a, p, "."); m = split(b, q, ".")
  for (i = 1; i <= n || i <= m; i++) {
    x = (i <= n ? p[i] : "0") ""; y = (i <= m ? q[i] : "0") ""
    if (length(x) != length(y)) return length(x) < length(y)
    if (x != y) return x < y
  }
  return 0
}
FNR == NR { at[plain($0)] = FNR; version[FNR] = plain($0); written[FNR] = $0; count = FNR; next }
`;

/** Positions of applied versions as ranges, and the highest of all. */
const AWK_CONDENSE = `${AWK_VERSIONS}
{ v = plain($0); if (v in at) has[at[v]] = 1; if (top == "" || before(top, v)) { top = v; shown = $0 } }
END {
  for (i = 1; i <= count; i++) if (has[i]) {
    for (j = i; has[j + 1]; j++);
    out = out (out == "" ? "" : ",") i (j > i ? "-" j : "")
    i = j
  }
  print word " " out
  print "current " shown
}`;

/** What must not run now, in words; nothing where all is well. */
const AWK_JUDGE = `${AWK_VERSIONS}
{ v = plain($0); if (v in at) { has[at[v]] = 1; if (exact && $0 "" != written[at[v]] "") odd = "spelled " at[v] " " $0 }; if (v != "0") isUsed = 1; if (top == "" || before(top, v)) { top = v; shown = $0 } }
END {
  if (odd) { print odd; exit }
  n = split(held, p, " "); for (i = 1; i <= n; i++) isHeld[p[i]] = 1
  for (i = 1; i <= target; i++) if (!has[i]) {
    if (order != "true" && top != "" && before(version[i], top)) { print "order " i " " shown; exit }
    if (isHeld[i]) { if (!first) first = i } else if (first && isUsed) { print "held " first " " i; exit }
  }
}`;

const COMMON = `set -u
say() { printf '%s\\n' "$1" >> "$REPORT"; }
condense() { awk -v word="$1" '${AWK_CONDENSE}' "$FILES/versions" - >> "$REPORT"; }
judge() { awk -v exact="$1" -v target="$TARGET" -v held="$HELD" -v order="$OUT_OF_ORDER" '${AWK_JUDGE}' "$FILES/versions" "$WORK/applied"; }
# The end of a text without half a character, which no status could carry.
cut_short() { head -c 1900 | LC_ALL=C sed '$s/[\\x80-\\xff]*$//'; }
# One that is killed says nothing; it is as if its Pod had been killed.
watched() { "$@" && return; set -- "$?"; [ "$1" -le 128 ] || : > "$WORK/killed"; return "$1"; }
give_up() {
  explain < "$1" > "$WORK/told"
  if [ -e "$WORK/killed" ]; then echo '${KILLED}' >> "$WORK/told"; fi
  say error
  cut_short < "$WORK/told" >> "$REPORT"
  if grep -Eq '${AWAY}' "$WORK/told" && ! grep -Eq '${REFUSED}' "$WORK/told"; then exit ${TRY_AGAIN}; fi
  exit 1
}
version_at() { sed -n "$1p" "$FILES/versions"; }
: > "$REPORT"
if [ "$(cd "$FILES" && sha256sum -- * | LC_ALL=C sort | sha256sum | cut -d ' ' -f 1)" != "$DIGEST" ]; then
  say error
  say 'The files are not those that were asked for: somebody has changed a ConfigMap of this run'
  cat "$REPORT"
  exit ${TRY_AGAIN}
fi
`;

const FLYWAY = `${COMMON}
run() { watched flyway -skipCheckForUpdate -color=never "$@"; }
explain() { awk '/^ERROR/ { on = 1 } /^Caused by|^Need more flex|Run Flyway with -X/ { on = 0 } on && !/^-*$/'; }
look() {
  if ! run -outputType=json info > "$WORK/info"; then
    sed -n 's/.*"message" : "\\(.*\\)",*$/ERROR: \\1/p' "$WORK/info" | sed 's/\\\\n/\\
/g; s/\\\\"/"/g' > "$WORK/look"
    cat "$WORK/look"
    give_up "$WORK/look"
  fi
  awk -F '"' '$2 == "version" { v = $4 } $2 == "state" && v != "" {
    if ($4 ~ /^Failed/) print v > half
    else if ($4 ~ /^(Success|Missing|Out of Order|Future|Baseline|Below Baseline)$/) print v
  }' half="$WORK/half" "$WORK/info" > "$WORK/applied"
  condense "$1" < "$WORK/applied"
  if [ -s "$WORK/half" ]; then say "half $(grep -nxF -f "$WORK/half" "$FILES/versions" | cut -d : -f 1 | tr '\\n' ' ')"; fi
}
`;

const LIQUIBASE = `${COMMON}
run() { watched liquibase --show-banner=false "$@"; }
explain() { awk '/^ERROR: Exception Details/ { next } /^For more information/ { exit } /Failed SQL:/ { sub(/ *.Failed SQL:.*/, ""); print; exit } /^Unexpected error running/ { on = 1 } on'; }
look() {
  if ! run history --format=TEXT > "$WORK/history" 2> "$WORK/look"; then cat "$WORK/look"; give_up "$WORK/look"; fi
  awk -F :: '$1 == "  maquette" && $3 == "maquette" { print $2 }' "$WORK/history" > "$WORK/applied"
  condense "$1" < "$WORK/applied"
}
`;

/** @param isExact To Liquibase's history 1 and 1.0 are two changes. */
function judged(isExact: boolean): string {
  return `verdict=$(judge ${isExact ? 1 : 0})
if [ -n "$verdict" ]; then say "$verdict"; printf '%s\\n' "$verdict"; exit 1; fi
`;
}

/** Shows what comes while it comes, and keeps it. */
const KEPT = `2>&1 | tee "$WORK/out"`;

/**
 * Applies what is missing up to `$TARGET`.
 *
 * Rows that Flyway calls failed stand for changes that no transaction undid: the next run begins with taking them out,
 * without `repair`, which would also take edited texts for good.
 */
export const FLYWAY_MIGRATE = `${FLYWAY}
look before
${judged(false)}
if [ -s "$WORK/half" ]; then
  mkdir -p "$WORK/callbacks"
  printf 'DELETE FROM flyway_schema_history WHERE NOT success;\\n' > "$WORK/callbacks/beforeValidate.sql"
  export FLYWAY_LOCATIONS="$FLYWAY_LOCATIONS,filesystem:$WORK/callbacks"
fi
{ run -target="$(version_at "$TARGET")" migrate; echo $? > "$WORK/code"; } ${KEPT}
rm -f "$WORK/half"
look after
[ "$(cat "$WORK/code")" = 0 ] || give_up "$WORK/out"
`;

/** The lock is the history's, and nobody else is at it: a run that was killed had it. */
export const LIQUIBASE_MIGRATE = `${LIQUIBASE}
look before
${judged(true)}
run release-locks > "$WORK/out" 2>&1 || { cat "$WORK/out"; give_up "$WORK/out"; }
{ run update; echo $? > "$WORK/code"; } ${KEPT}
look after
[ "$(cat "$WORK/code")" = 0 ] || give_up "$WORK/out"
`;

/** What is undone of the positions in `$UNDO`: those that the history still has, and what failed without a row in it. */
const UNDOING = `
is_applied() { [ "$1" = "$HALF" ] || version_at "$1" | grep -qxF -f - "$WORK/applied" "$WORK/half" 2> /dev/null; }
`;

/**
 * Undoes the versions at the positions of `$UNDO`, in that order: for each the rollback text and the end of its row in
 * one transaction. Flyway of this edition has no undo; its callbacks run any script, on the same connection.
 */
export const FLYWAY_UNDO = `${FLYWAY}${UNDOING}
look before
mkdir -p "$WORK/callbacks"
number=1000
for position in $UNDO; do
  is_applied "$position" || continue
  version=$(version_at "$position")
  number=$((number + 1))
  { cat "$FILES/undo-$position.sql"; printf "\\n;\\n%s\\nDELETE FROM flyway_schema_history WHERE version = '%s';\\n" "$SESSION_END" "$version"; } > "$WORK/callbacks/beforeInfo__$number.$version.sql"
done
if [ "$number" -gt 1000 ]; then
  { FLYWAY_LOCATIONS="filesystem:$WORK/callbacks" run info; echo $? > "$WORK/code"; } ${KEPT}
  rm -f "$WORK/half"
  look after
  [ "$(cat "$WORK/code")" = 0 ] || give_up "$WORK/out"
else
  look after
fi
`;

/** The same with Liquibase. What marks a change as done goes in the same transaction, where there are such marks. */
export const LIQUIBASE_UNDO = `${LIQUIBASE}${UNDOING}
look before
for position in $UNDO; do
  is_applied "$position" || continue
  version=$(version_at "$position")
  {
    cat "$FILES/undo-$position.sql"
    printf "\\n;\\n%s\\n" "$SESSION_END"
    printf "DELETE FROM DATABASECHANGELOG WHERE ID = '%s' AND AUTHOR = 'maquette' AND FILENAME = 'maquette';\\n" "$version"
    [ -z "$MARKS" ] || printf "DELETE FROM %s WHERE id = '%s';\\n" "$MARKS" "$version"
  } > "$WORK/undo.sql"
  if ! run execute-sql --sql-file="$WORK/undo.sql" --delimiter=@@maquette@@ > "$WORK/out" 2>&1; then
    cat "$WORK/out"
    look after
    give_up "$WORK/out"
  fi
done
look after
`;
