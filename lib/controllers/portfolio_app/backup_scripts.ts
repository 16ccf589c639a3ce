/**
 * What the containers of backups and restores run: POSIX shell, everything variable in the environment.
 *
 * What a script has to say for programs (an archive and its checksum) is its termination message, what went wrong is its
 * log. An archive appears under its name only when it has been read back: whatever is there is whole.
 *
 * @module
 */

const HEAD = `set -eu
umask 027
fail() { echo "$1" >&2; exit 1; }
`;

/** An archive of a database or a volume. @environment TOOL BASE TARGET, STRICT for a volume that nobody writes to */
export const SAVE = `${HEAD}
mkdir -p "$TARGET" || fail "Cannot make the folder for archives on the volume"
# What those have left that were killed. Whatever is under way writes all the time.
find "$TARGET" -maxdepth 1 -name '.*-????????T??????Z.*.part' -mmin +1440 -exec rm -f {} + || true
case $TOOL in pg_dump) ending=dump ;; *) ending=tar.gz ;; esac
file=$BASE-$(date -u +%Y%m%dT%H%M%SZ).$ending
part=$TARGET/.$file.part
trap 'rm -f "$part"' EXIT
save() {
  case $TOOL in
    pg_dump) pg_dump --no-password --format=custom || echo failed >/tmp/failed ;;
    *)
      # Not the volume's own folder: only its owner may set the mode of that, when it is brought back.
      {
        cd /data
        find . -mindepth 1 -maxdepth 1 ! -name lost+found -print0 | tar --null --files-from=- -cf - ||
          [ "$?:$STRICT" = 1:no ] || echo failed >/tmp/failed
      } |
        gzip || echo failed >/tmp/failed ;;
  esac
}
mkfifo /tmp/copy
sha256sum </tmp/copy >/tmp/sum &
save | tee /tmp/copy >"$part" || fail "Cannot write the archive: is the volume full?"
wait
[ ! -e /tmp/failed ] || fail "Cannot save: the lines above say why"
sum=$(cut -d ' ' -f 1 /tmp/sum)
sync
echo "$sum  $part" | sha256sum -c - >/dev/null || fail "The archive is not what was written"
case $TOOL in
  pg_dump)
    pg_restore --list "$part" >/tmp/list || fail "The archive cannot be listed"
    entries=$(grep -vc '^;' /tmp/list || true) ;;
  *)
    tar -tzf "$part" >/tmp/list || fail "The archive cannot be listed"
    entries=$(wc -l </tmp/list)
    there=$(cd /data && find . -mindepth 1 -path ./lost+found -prune -o -mindepth 1 ! -type s -print0 | tr -cd '\\000' | wc -c)
    [ "$STRICT" = no ] || [ "$entries" -eq "$there" ] ||
      fail "The archive lists $entries files of $there" ;;
esac
mv "$part" "$TARGET/$file"
echo "$sum  $file" >"$TARGET/$file.sha256"
result=$(printf '{"archive":"%s","sha256":"%s","bytes":%d,"entries":%d}' \\
  "$file" "$sum" "$(wc -c <"$TARGET/$file")" "$entries")
if [ "$TARGET" = /staging ]; then
  echo "$result" >/staging/result
  echo "$file" >/staging/file
else
  echo "$result" >/dev/termination-log
fi
echo "Saved $file"
`;

const STORE = `${HEAD}
quoted() { printf '%s' "$1" | sed 's/[\\\\"]/\\\\&/g'; }
# The login is no argument: those can be seen from outside.
store() {
  printf 'user = "%s:%s"\\n' "$(quoted "$ACCESS_KEY_ID")" "$(quoted "$SECRET_ACCESS_KEY")" |
    curl --config - --silent --show-error --fail --retry 4 --aws-sigv4 "aws:amz:$REGION:s3" "$@"
}
# S3 wants the checksum of what is sent to be signed, and not every curl works it out by itself.
checksum() { printf 'x-amz-content-sha256: '; sha256sum "$1" | cut -d ' ' -f 1; }
upload() {
  store --header "$(checksum "/staging/$1")" --upload-file "/staging/$1" "$URL/$1" || fail "Cannot write $1 to the store"
}
download() {
  name=$1 to=$2
  shift 2
  store --header "$(checksum /dev/null)" --output "$to" "$@" "$URL/$name"
}
`;

/** Takes the archive of {@link SAVE} to the store and reads it back. @environment URL REGION ACCESS_KEY_ID … */
export const UPLOAD = `${STORE}
file=$(cat /staging/file)
upload "$file"
download "$file" /staging/back || fail "Cannot read $file back from the store"
sum=$(cut -d ' ' -f 1 "/staging/$file.sha256")
echo "$sum  /staging/back" | sha256sum -c - >/dev/null || fail "The archive in the store is not what was sent"
upload "$file.sha256"
cat /staging/result >/dev/termination-log
echo "Stored $file"
`;

/**
 * Takes the archive from the store, and its checksum where there is one. Who may not list a bucket is told 403 of what
 * does not exist. @environment ARCHIVE URL …
 */
export const DOWNLOAD = `${STORE}
download "$ARCHIVE" "/staging/$ARCHIVE" || fail "Cannot read $ARCHIVE from the store"
sum="/staging/$ARCHIVE.sha256"
code=$(download "$ARCHIVE.sha256" "$sum" --write-out '%{http_code}') || case $code in
  403|404) rm -f "$sum" ;;
  *) fail "Cannot read $ARCHIVE.sha256 from the store" ;;
esac
`;

/** Brings an archive back. @environment TOOL SOURCE ARCHIVE, DATABASE as a connection string */
export const RESTORE = `${HEAD}
cd "$SOURCE" || fail "There is no folder for archives on the volume"
[ -e "$ARCHIVE" ] || fail "There is no archive $ARCHIVE"
if [ -e "$ARCHIVE.sha256" ]; then
  sha256sum -c "$ARCHIVE.sha256" >/dev/null || fail "The archive is damaged: its checksum differs"
fi
case $TOOL in
  pg_dump)
    objects=$(psql -X -A -t -w -v ON_ERROR_STOP=1 -d "$DATABASE" -c "select count(*) from pg_class c
      join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
      and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'")
    [ "$objects" = 0 ] || fail "The database is not empty: it has $objects tables, views and sequences"
    pg_restore --no-password --single-transaction --exit-on-error --no-owner --no-privileges \\
      --dbname="$DATABASE" "$ARCHIVE" || fail "Cannot restore: the lines above say why" ;;
  *)
    cd /data
    if [ -e .maquette-restore ]; then
      find . -mindepth 1 -maxdepth 1 ! -name lost+found ! -name .maquette-restore -exec rm -rf {} +
    elif [ -n "$(ls -A . | grep -v '^lost+found$')" ]; then
      fail "The volume is not empty"
    fi
    : >.maquette-restore
    tar -xzf "$SOURCE/$ARCHIVE" --no-same-owner || fail "Cannot restore: the lines above say why"
    chmod -R g+rwX . 2>/dev/null || true
    rm .maquette-restore ;;
esac
printf '{"archive":"%s"}' "$ARCHIVE" >/dev/termination-log
echo "Restored $ARCHIVE"
`;
