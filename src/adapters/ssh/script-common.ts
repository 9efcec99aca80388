/**
 * What runs on a host, as POSIX shell for dash, bash --posix and busybox ash (contract C17, FAULTS.md M4). All of it
 * travels over the stdin of one `exec sh -s`, so no command text, argument or variable is ever in a list of processes.
 *
 * Every part is a function, and the line that starts it stands in braces: a script that was cut off anywhere is a syntax
 * error and runs nothing. Only builtins where it matters: a fork costs a millisecond, and each task pays it.
 *
 * What a host keeps, in a folder of mode 700 of the user who runs the task:
 * - `host-id`: made once. With the boot id it tells whether "never started" can be believed.
 * - `<id>.task`: the claim. Made by exclusive create (`set -C` and `>`), so one starter in the world wins. Line 1 is
 *   `edge1 <boot id> <supervisor's pid> <its start time> .`, or `edge1 <boot id> cancelled 0 .` (a tombstone). Line 2 is
 *   80 characters, written in place, so that a disk that fills up later cannot lose the exit status:
 *   `session <pid> <start time> .` and then `exit <code> <size> .`. A line without its full stop does not count.
 * - `<id>.out`: the output, appended by the command itself. Not through a pipe: a daemon that a start script leaves
 *   behind would hold it open for ever, and its size could not be known at the moment of the exit.
 *
 * - `<id>.<pid>.script`: the script of a task that has one, made before the claim and gone with the end of its supervisor.
 * - `<id>.outputs`: what that script wrote for later steps.
 *
 * The cap of the output is kept in two places. The reader takes the first and the last half of the limit, and knows by
 * the size exactly how much lies between. The supervisor frees the blocks of that middle (`fallocate -p`), which changes
 * neither size nor offsets: so the disk is safe, and exactness does not depend on it.
 *
 * Names begin with `e_`: a shell variable that the login exported would change the command's environment.
 */
export const COMMON = `
e_say() { printf '@%s %s\\n' "$e_id" "$*" >&2; }
e_unfit() { e_say unfit "$*"; exit 1; }
e_own() {
  [ -d "$e_dir" ] || mkdir -m 700 "$e_dir" 2>/dev/null
  [ -d "$e_dir" ] && [ ! -h "$e_dir" ] && [ -O "$e_dir" ] && [ -w "$e_dir" ]
}
e_read_host() { e_host=; { read -r e_host; } 2>/dev/null <"$e_dir/host-id"; }
# Several may come to a new host at once: only an id that is empty, as a power cut leaves it, is removed, never another one's.
e_make_host() {
  [ -e "$e_dir/host-id" ] && [ ! -s "$e_dir/host-id" ] && rm -f "$e_dir/host-id"
  { read -r e_new; } </proc/sys/kernel/random/uuid
  printf '%s\\n' "$e_new" >"$e_dir/host-id.$$" && [ -s "$e_dir/host-id.$$" ] && ln "$e_dir/host-id.$$" "$e_dir/host-id"
  rm -f "$e_dir/host-id.$$"
}
e_home() {
  { read -r e_boot; } 2>/dev/null </proc/sys/kernel/random/boot_id || e_unfit 'no /proc/sys/kernel/random/boot_id'
  e_dir=\${HOME:-/nonexistent}/.edge
  if ! e_own; then
    e_dir=/var/tmp/edge-$(id -u)
    e_own || e_unfit "no folder for its state: neither $HOME/.edge nor $e_dir can be written"
  fi
  e_read_host
  if [ -z "$e_host" ]; then
    e_make_host 2>/dev/null
    e_read_host
    [ -n "$e_host" ] || e_unfit "cannot write in $e_dir: is the disk full?"
  fi
  e_f=$e_dir/$e_id.task e_o=$e_dir/$e_id.out
  e_say host "$e_boot" "$e_host" "$e_dir"
}
# The claim as it stands: none, torn (being written, or its writer died), cancelled, claimed, exited.
e_state() {
  e_kind=none e_a= e_b= e_claimboot= e_pid=0 e_start= e_session=0 e_sessionstart= e_code= e_size=0
  [ -e "$e_f" ] || return 0
  e_kind=torn
  { read -r e_a; read -r e_b; } 2>/dev/null <"$e_f"
  set -- $e_a
  [ "$1$5" = edge1. ] || return 0
  if [ "$3" = cancelled ]; then e_kind=cancelled; return 0; fi
  e_kind=claimed e_claimboot=$2 e_pid=$3 e_start=$4
  set -- $e_b
  case $1$4 in
  session.) e_session=$2 e_sessionstart=$3 ;;
  exit.) e_kind=exited e_code=$2 e_size=$3 ;;
  esac
}
# Is process $1 there, started at $2 (clock ticks since boot), and not a zombie? Leaves its stat fields in e_stat.
e_there() {
  e_stat=
  { read -r e_stat; } 2>/dev/null <"/proc/$1/stat"
  [ -n "$e_stat" ] || return 1
  e_stat=\${e_stat##*) }
  e_want=$2
  set -- $e_stat
  [ "$1" != Z ] && [ "$1" != X ] && [ "\${20}" = "$e_want" ]
}
e_alive() { [ "$e_claimboot" = "$e_boot" ] && e_there "$e_pid" "$e_start"; }
e_tick() { sleep 0.1 2>/dev/null || sleep 1; }
e_settle() {
  e_state
  e_n=0
  while [ $e_kind = torn ] && [ $e_n -lt 20 ]; do e_tick; e_n=$((e_n + 1)); e_state; done
}
e_measure() { e_size=0; [ -s "$e_o" ] && e_size=$(wc -c <"$e_o"); e_size=$((e_size)); }
e_report() {
  e_settle
  if [ $e_kind = claimed ]; then
    if e_alive; then e_measure; e_say running "$e_size"; return; fi
    # It may have ended between the two looks.
    e_state
  fi
  case $e_kind in
  none | cancelled) e_say $e_kind ;;
  exited) e_say exited "$e_code" "$e_size" ;;
  torn) e_say unknown torn 0 ;;
  claimed)
    e_measure
    if [ "$e_claimboot" = "$e_boot" ]; then e_say unknown supervisor "$e_size"; else e_say unknown reboot "$e_size"; fi
    ;;
  esac
}
`;

/** Comments and indentation stay here. */
export function compact(script: string): string {
  return script.replaceAll(/^ *#.*\n/gm, '').replaceAll(/^ +/gm, '');
}
