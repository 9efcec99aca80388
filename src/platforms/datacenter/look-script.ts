import { LIST_MODES, MARKER, MODES, NOTED, NOTHING, SUMS } from './install-script.ts';

/** Lines about modes that are read at most: what an application has put among its files may be without end. */
export const MOST_MODES = 20_000;

/**
 * What `release.look` runs on a host: it only reads, for a POSIX shell (dash, bash, busybox). Arguments: folder (absolute or below `~/`),
 * release, then the paths of its property files. It says one thing a line; `readLook` makes something of it. Of files that nobody put there only the
 * names are read: a log may be large.
 */
export const LOOK = `
set -u
folder=$1 release=$2
shift 2
case $folder in '~/'*) folder=$HOME/\${folder#??} ;; esac
final=$folder/releases/$release
export LC_ALL=C

# What is behind a folder that may not be entered looks as if it were not there.
barred() {
  part= rest=$1
  case $rest in /*) part=/ rest=\${rest#/} ;; esac
  while [ "$rest" != "\${rest#*/}" ]; do
    part=$part\${rest%%/*} rest=\${rest#*/}
    if [ -d "$part" ] && [ ! -x "$part" ]; then return 0; fi
    part=$part/
  done
  return 1
}

if barred "$folder/current"; then echo "barred $part"; exit 0; fi
if [ -L "$folder/current" ]; then
  echo "current $(readlink "$folder/current")"
elif [ -e "$folder/current" ]; then
  echo 'current is no link'
else
  echo 'no current'
fi
if [ "$folder/current" -ef "$final" ]; then echo same; fi
if barred "$final/${MARKER}"; then echo "barred $part"; exit 0; fi
if [ ! -d "$final" ] || ! cd "$final"; then echo gone; exit 0; fi
mark=
if [ -f ${MARKER} ]; then
  if [ -r ${MARKER} ]; then read -r mark <${MARKER} || true; else mark=unreadable; fi
fi
echo "mark $mark"

echo '[property files]'
for path; do
  shift
  if barred "$path"; then continue; fi
  if [ ! -e "$path" ] && [ ! -L "$path" ]; then
    echo "missing $path"
  elif [ -L "$path" ] || [ ! -f "$path" ]; then
    echo "other $path"
  else
    set -- "$@" "$path"
  fi
done
if [ $# -gt 0 ]; then
  stat -c 'mode %a %n' "$@"
  sha256sum "$@"
fi 2>/dev/null

for note in ${SUMS} ${MODES}; do
  if [ ! -f $note ] || [ ! -r $note ]; then echo '[not noted]'; exit 0; fi
done
if [ "$(tail -n 1 ${MODES})" != "${NOTED} $({ cat ${SUMS}; sed '$d' ${MODES}; } | sha256sum)" ]; then
  echo '[not whole]'
  exit 0
fi

# What is no file any more has no sum, and reading it may have no end. A name with odd characters is escaped, and its line begins so.
echo_line() { printf '%s\\n' "$1"; }
summable() {
  while IFS= read -r line; do
    name=\${line#*  } shown=
    case $line in '\\'*) shown='\\' name=$(printf '%b.' "$name") name=\${name%.} ;; esac
    if [ -f "$name" ] || [ ! -e "$name" ]; then echo_line "$line"; else echo_line "$shown\${line#*  }: FAILED" >&3; fi
  done <${SUMS}
  echo '${NOTHING}'
}
echo '[sums]'
{ summable | sha256sum -c 2>&1; echo "ended $?"; } 3>&1 | sed '/: OK$/d'
echo '[modes]'
# What is as it was comes three times, what is not there any more twice (as does the last line of the note), and what was not there once.
# The last line proves that all came.
{ cat ${MODES} ${MODES}; ${LIST_MODES} 2>&1 || echo "ended $?"; echo listed; } | sort | uniq -c | sed '/^ *3 /d' | head -n ${MOST_MODES}
`;
