/**
 * What `release.install` runs on a host: constant texts for a POSIX shell (dash, bash, busybox), every value an argument.
 * A release is whole when its folder has the marker with the release's hash: the folder is filled under another name and
 * renamed, and the links are renamed into place, so that nobody ever sees half of either.
 */
export const MARKER = '.edge-release';
/** What is in the marker of a release that is whole. */
export const markerText = (hash: string): string => `${hash}\n`;

/**
 * Arguments: folder (absolute or below `~/`), release, hash, how many releases to keep, a token of this run, then for each
 * artifact its uploaded file, its name, and how it is unpacked.
 */
export const INSTALL = `
set -eu
folder=$1 release=$2 hash=$3 keep=$4 token=$5
shift 5
case $folder in '~/'*) folder=$HOME/\${folder#??} ;; esac
releases=$folder/releases
final=$releases/$release
work=$releases/.$release.$token
trap 'rm -rf "$work"' EXIT

if [ "$(cat "$final/${MARKER}" 2>/dev/null || true)" != "$hash" ]; then
  rm -rf "$releases/.$release".*
  mkdir -p "$work"
  while [ $# -ge 3 ]; do
    case $3 in
      tar.gz) tar -xzof "$1" -C "$work" ;;
      none) cp -p "$1" "$work/$2" ;;
      *) echo "cannot unpack $3" >&2; exit 2 ;;
    esac
    shift 3
  done
  printf '%s\\n' "$hash" > "$work/${MARKER}"
  sync -f "$work"
  rm -rf "$final"
  mv -T "$work" "$final"
fi
touch "$final/${MARKER}"

point() {
  rm -f "$folder/.$1.$token"
  ln -s "$2" "$folder/.$1.$token"
  mv -f -T "$folder/.$1.$token" "$folder/$1"
}
current=$(readlink "$folder/current" || true)
if [ "$current" != "releases/$release" ]; then
  if [ -n "$current" ]; then point previous "$current"; fi
  point current "releases/$release"
fi

rm -rf "$releases/.incoming"
previous=$(readlink "$folder/previous" || true)
cd "$releases"
kept=0
ls -t -- */${MARKER} | while IFS= read -r marker; do
  old=\${marker%/${MARKER}}
  kept=$((kept + 1))
  if [ "$kept" -le "$keep" ] || [ "$old" = "$release" ] || [ "releases/$old" = "$previous" ]; then continue; fi
  rm -rf "./$old"
done
`;
