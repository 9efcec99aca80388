/**
 * What `release.install` runs on a host: constant texts for a POSIX shell (dash, bash, busybox), every value an argument.
 * A release is whole when its folder has the marker with the release's hash: the folder is filled under another name and
 * renamed, and the links are renamed into place, so that nobody ever sees half of either.
 */
export const MARKER = '.edge-release';
/** What is in the marker of a release that is whole. */
export const markerText = (hash: string): string => `${hash}\n`;

/**
 * Arguments: folder (absolute or below `~/`), release, hash, how many releases to keep, a token of this run, an uploaded tar of
 * property files (or nothing); for each artifact its uploaded file, its name, and how it is unpacked; `--files`; then for each
 * property file its name in the tar, its path below the release, and its mode. Property files are put there anew each time, also
 * into a release that is whole: a secret may have changed, or a hand.
 */
export const INSTALL = `
set -eu
folder=$1 release=$2 hash=$3 keep=$4 token=$5 made=$6
shift 6
case $folder in '~/'*) folder=$HOME/\${folder#??} ;; esac
releases=$folder/releases
final=$releases/$release
work=$releases/.$release.$token
files=$releases/.$release.$token.files
trap 'rm -rf "$work" "$files"; if [ -n "$made" ]; then rm -f "$made"; fi' EXIT

refuse() {
  echo "$1" >&2
  exit 2
}

# Never through a link, which could lead out of the release, and never in the place of a folder.
put() {
  to=$1/$3 part=$1 rest=$3
  while [ "$rest" != "\${rest#*/}" ]; do
    part=$part/\${rest%%/*} rest=\${rest#*/}
    if [ -L "$part" ]; then refuse "an artifact has a link where the folder of $3 is to be"; fi
  done
  if [ -d "$to" ] && [ ! -L "$to" ]; then refuse "an artifact has a folder where $3 is to be"; fi
  mkdir -p "$part"
  chmod "$4" "$files/$2"
  mv -f -T "$files/$2" "$to"
}

unpack() {
  while [ "$1" != --files ]; do
    case $3 in
      tar.gz) tar -xzof "$1" -C "$work" ;;
      none) cp -p "$1" "$work/$2" ;;
      *) refuse "cannot unpack $2: $3" ;;
    esac
    shift 3
  done
}

put_files() {
  into=$1
  while [ "$2" != --files ]; do shift; done
  shift 2
  if [ $# -eq 0 ]; then return; fi
  mkdir -p "$files"
  chmod 700 "$files"
  tar -xof "$made" -C "$files"
  rm -f "$made"
  while [ $# -ge 3 ]; do
    put "$into" "$1" "$2" "$3"
    shift 3
  done
  sync -f "$into"
}

if [ "$(cat "$final/${MARKER}" 2>/dev/null || true)" != "$hash" ]; then
  rm -rf "$releases/.$release".*
  mkdir -p "$work"
  unpack "$@"
  put_files "$work" "$@"
  printf '%s\\n' "$hash" > "$work/${MARKER}"
  sync -f "$work"
  rm -rf "$final"
  mv -T "$work" "$final"
else
  rm -rf "$releases/.$release".*.files
  put_files "$final" "$@"
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

# What others have sent since is theirs; what nobody came for goes after a day.
while [ "$1" != --files ]; do
  case $1 in "$releases/.incoming/"*) rm -f "$1" ;; esac
  shift 3
done
if [ -d "$releases/.incoming" ]; then
  find "$releases/.incoming" -type f -mtime +1 -exec rm -f '{}' +
  rmdir "$releases/.incoming" 2>/dev/null || true
fi
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
