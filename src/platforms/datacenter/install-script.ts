/**
 * What `release.fetch` and `release.install` run on a host: constant texts for a POSIX shell (dash, bash, busybox), every value an argument.
 * A release is whole when its folder has the marker with the release's hash: the folder is filled under another name and
 * renamed, and the links are renamed into place, so that nobody ever sees half of either.
 */
export const MARKER = '.edge-release';
/** What was unpacked, as `sha256sum -c` checks it; and the mode of each file, links with where they lead. */
export const SUMS = '.edge-manifest';
export const MODES = '.edge-modes';
/** The last line of the modes is this and the digest of both notes without it, so that nobody takes half of them for all. */
export const NOTED = 'noted';
/** One line for each file below the folder that it runs in; those of Edge are left out. */
export const LIST_MODES = `find . ! -path './.edge-*' ! -type d -exec stat -c '%a %N' '{}' +`;
/** What is summed beside what was noted, so that there is always something: `sha256sum -c` takes no list without a line. */
export const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  /dev/null';
/** With what the script ends if what it is to unpack is not on the host. */
export const GONE = 3;
/** What is in the marker of a release that is whole. */
export const markerText = (hash: string): string => `${hash}\n`;

/**
 * Arguments: folder (absolute or below `~/`), release, hash, how many releases to keep, a token of this run, an uploaded tar of
 * property files (or nothing); `anew` where what is whole is to be as it was put there too (or nothing); for each artifact its uploaded
 * file, its name, and how it is unpacked; `--files`; then for each property file its name in the tar, its path below the release, and its
 * mode. Property files are put there anew each time, also
 * into a release that is whole: a secret may have changed, or a hand.
 *
 * Called as `edge-fetch` it only makes the release whole, without property files, beside what serves. The current one, and one that was
 * whole, are left to the install, even if they are not whole any more: something may run from them.
 */
export const INSTALL = `
set -eu
folder=$1 release=$2 hash=$3 keep=$4 token=$5 made=$6 anew=$7
shift 7
case $folder in '~/'*) folder=$HOME/\${folder#??} ;; esac
releases=$folder/releases
final=$releases/$release
work=$releases/.$release.$token
files=$releases/.$release.$token.files
apart=$releases/.$release.$token.apart
old=$releases/.$release.$token.old
trap 'remove "$work" "$files" "$apart" "$made"' EXIT

# Forks only where there is something: each costs the host a millisecond.
remove() {
  for left in "$@"; do
    if [ -e "$left" ] || [ -L "$left" ]; then
      # In a folder that an archive has made read-only only root removes anything. Files are not touched: one may be a hard link.
      if rm -rf "$left" 2>/dev/null; then continue; fi
      find "$left" -type d ! -perm -700 -exec chmod u+rwx '{}' ';' || true
      rm -rf "$left"
    fi
  done
}

refuse() {
  echo "$1" >&2
  exit 2
}

is_there() {
  if [ -f "$1" ]; then return; fi
  echo "$2 is not on the host any more" >&2
  exit ${GONE}
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

# Whether it would be written through a link of an artifact before it that leads out of the release: a tar program looks at its own links only.
goes_out() {
  if [ -z "$unpacked" ]; then return 1; fi
  out=$(find "$work" -type l) || refuse "what is before $3 cannot be looked through"
  if [ -z "$out" ]; then return 1; fi
  mkdir "$apart"
  tar "$1" "$2" -C "$apart" || refuse "$3 cannot be unpacked"
  out=$(find "$apart" -exec sh -c '
    apart=$1 work=$2
    shift 2
    for path do
      part=$work rest=\${path#"$apart"}
      rest=\${rest#/}
      while [ "$rest" != "\${rest#*/}" ]; do
        part=$part/\${rest%%/*} rest=\${rest#*/}
        if [ -L "$part" ]; then
          # One that leads nowhere, or round in a circle: readlink may go round for ever, and the system does not.
          if [ ! -e "$part" ]; then echo out; exit; fi
          case $(readlink -f "$part") in "$work"/*) ;; *) echo out; exit ;; esac
        fi
      done
    done' sh "$apart" "$(readlink -f "$work")" '{}' +) || refuse "$3 cannot be looked through"
  remove "$apart"
  [ -n "$out" ]
}

untar() {
  if goes_out "$@"; then refuse "an artifact has a link that leads out, or nowhere, where a folder of $3 is to be"; fi
  tar "$1" "$2" -C "$work"
}

copy() {
  if [ -d "$work/$2" ] && [ ! -L "$work/$2" ]; then refuse "an artifact has a folder where $2 is to be"; fi
  remove "$work/$2"
  cp -p "$1" "$work/$2"
}

unpack() {
  unpacked=
  while [ "$1" != --files ]; do
    case $3 in
      tar.gz) is_there "$1" "$2" && untar -xzof "$1" "$2" ;;
      tar) is_there "$1" "$2" && untar -xof "$1" "$2" ;;
      none) is_there "$1" "$2" && copy "$1" "$2" ;;
      *) refuse "cannot unpack $2: $3" ;;
    esac
    unpacked=1
    shift 3
  done
}

# What is there before any file of Edge's own, for whoever looks later whether it still is. Half of it would be worse than none.
note() {
  remove "$work/${SUMS}" "$work/${MODES}"
  if ! {
    cd "$work" &&
      LC_ALL=C find . ! -path './.edge-*' -type f -exec sha256sum '{}' + >${SUMS} &&
      LC_ALL=C ${LIST_MODES} >${MODES} &&
      echo "${NOTED} $(cat ${SUMS} ${MODES} | sha256sum)" >>${MODES}
  } 2>/dev/null; then remove "$work/${SUMS}" "$work/${MODES}"; fi
}

# Whether all that was noted is still there as it was, but for the property files, which are put there anew in any case. Only files are read.
intact() (
  while [ "$1" != --files ]; do shift; done
  shift
  if ! cd "$final" || ! [ -r ${SUMS} ] || ! [ -r ${MODES} ]; then exit 1; fi
  export LC_ALL=C
  if [ "$(tail -n 1 ${MODES})" != "${NOTED} $({ cat ${SUMS}; sed '$d' ${MODES}; } | sha256sum)" ]; then exit 1; fi
  line_end='
'
  own=$line_end rest=$#
  while [ "$rest" -gt 0 ]; do
    own=$own./$2$line_end rest=$((rest - 3))
    set -- "$@" -e "'./$2'"
    shift 3
  done
  # What is as it was comes three times, what is not any more twice, what was not there once. The last line proves that all came.
  now=$({ sed '$d' ${MODES}; sed '$d' ${MODES}; ${LIST_MODES}; echo listed; echo listed; } |
    grep -vF -e "'./.edge-'" "$@" | sort | uniq -c | sed '/^ *[13] /d; s/^ *//')
  if [ "$now" != '2 listed' ]; then exit 1; fi
  summed=$(while IFS= read -r line; do
    name=\${line#*  }
    case $line in '\\'*) name=$(printf '%b.' "$name") name=\${name%.} ;; esac
    case $own in *"$line_end$name$line_end"*) continue ;; esac
    if [ ! -f "$name" ] || [ -L "$name" ]; then exit 1; fi
    printf '%s\\n' "$line"
  done <${SUMS} && echo '${NOTHING}') || exit 1
  printf '%s\\n' "$summed" | sha256sum -c >/dev/null 2>&1
)

are_there() {
  while [ "$1" != --files ]; do
    case $3 in
      tar.gz | tar | none) is_there "$1" "$2" ;;
      *) refuse "cannot unpack $2: $3" ;;
    esac
    shift 3
  done
}

put_files() {
  if [ "$0" = edge-fetch ]; then return; fi
  into=$1
  while [ "$2" != --files ]; do shift; done
  shift 2
  if [ $# -eq 0 ]; then return; fi
  mkdir -p "$files"
  chmod 700 "$files"
  tar -xof "$made" -C "$files"
  remove "$made"
  while [ $# -ge 3 ]; do
    put "$into" "$1" "$2" "$3"
    shift 3
  done
  sync -f "$into"
}

# What others have sent since is theirs; what nobody came for goes after a day.
remove_uploads() {
  while [ "$1" != --files ]; do
    case $1 in "$releases/.incoming/"*) remove "$1" ;; esac
    shift 3
  done
  if [ -d "$releases/.incoming" ] && ! rmdir "$releases/.incoming" 2>/dev/null; then
    find "$releases/.incoming" -type f -mtime +1 -exec rm -f '{}' +
    rmdir "$releases/.incoming" 2>/dev/null || true
  fi
}

# Of a run that was cut off between the two renames.
for left in "$releases/.$release".*.old; do
  if [ ! -e "$final" ] && [ -f "$left/${MARKER}" ]; then mv -T "$left" "$final"; fi
done
current=$(readlink "$folder/current" || true)
whole=
if [ -f "$final/${MARKER}" ]; then read -r whole <"$final/${MARKER}" || true; fi
marked=
if [ "$whole" = "$hash" ]; then marked=1; fi
if [ -n "$anew" ] && [ -n "$marked" ] && ! intact "$@"; then whole=; fi
# Something may run from one that was whole, whatever is current.
if [ "$0" = edge-fetch ] && [ "$whole" != "$hash" ] && { [ -n "$marked" ] || [ "$folder/current" -ef "$final" ]; }; then
  if [ -n "$anew" ]; then are_there "$@"; fi
  exit 0
fi

if [ "$whole" != "$hash" ]; then
  remove "$releases/.$release".* || true
  mkdir -p "$work"
  unpack "$@"
  note
  put_files "$work" "$@"
  # An artifact may have one of its own: a link, through which this would be written.
  remove "$work/${MARKER}"
  printf '%s\\n' "$hash" > "$work/${MARKER}"
  sync -f "$work"
  # Whoever came later has removed it: what is there now is theirs, and may be serving.
  if [ ! -d "$work" ]; then refuse 'another run has taken over'; fi
  # Renamed and not removed: half of it would still have its mark, and what others wrote there may not be ours to remove.
  if [ -e "$final" ] || [ -L "$final" ]; then mv -T "$final" "$old"; fi
  mv -T "$work" "$final"
  if [ -L "$old" ] || [ ! -d "$old" ] || rm -f "$old/${MARKER}"; then remove "$old" || true; fi
else
  remove "$releases/.$release".*.files
  put_files "$final" "$@"
  touch "$final/${MARKER}"
fi
if [ "$0" = edge-fetch ]; then
  remove_uploads "$@"
  exit 0
fi

point() {
  remove "$folder/.$1.$token"
  ln -s "$2" "$folder/.$1.$token"
  mv -f -T "$folder/.$1.$token" "$folder/$1"
}
if [ "$current" != "releases/$release" ]; then
  if [ -n "$current" ]; then point previous "$current"; fi
  point current "releases/$release"
fi

remove_uploads "$@"
cd "$releases"
set -- */${MARKER}
if [ "$#" -le "$keep" ]; then exit 0; fi
previous=$(readlink "$folder/previous" || true)
kept=0
ls -t -- */${MARKER} | while IFS= read -r marker; do
  old=\${marker%/${MARKER}}
  kept=$((kept + 1))
  if [ "$kept" -le "$keep" ] || [ "$old" = "$release" ] || [ "releases/$old" = "$previous" ]; then continue; fi
  remove "./$old"
done
`;
