import { shellQuote } from '../../lib/shell-quote.ts';
import { CANCEL } from './cancel-script.ts';
import { COMMON, compact } from './script-common.ts';

/** Starts a task or attaches to it, and passes on its output until the client says goodbye. */
const OPEN = `
e_tail() {
  e_t=
  [ "$e_from" = - ] && return
  : >>"$e_o"
  tail -c "+$((e_from + 1))" -f "$e_o" 2>/dev/null &
  e_t=$!
}
# Blocks until the client says goodbye or is gone, so that nothing stays behind a lost connection.
# The first shell would wait for the supervisor, its sibling in the pipeline, so it is ended too.
e_until_goodbye() { read -r e_x; kill $e_t $e_w $$ 2>/dev/null; exit 0; }
# After the end of the pipe: the status is there, or the supervisor was killed and is being buried.
e_final() {
  e_n=0
  e_state
  while [ $e_kind = claimed ] && e_alive && [ $e_n -lt 20 ]; do e_tick; e_n=$((e_n + 1)); e_state; done
  e_report
}
e_poll() {
  e_n=0
  e_state
  while [ $e_kind = claimed ] && e_alive; do
    if [ $e_n -lt 10 ]; then e_tick; else sleep 1; fi
    e_n=$((e_n + 1))
    e_state
  done
  e_report
}
e_attach() {
  e_settle
  if [ $e_kind != claimed ] || ! e_alive; then e_report; exit 0; fi
  e_say attached
  e_tail
  { exec 4<&-; e_poll; } &
  e_w=$!
  e_until_goodbye
}
# stdin is the pipe of the supervisor; 3 is the client.
e_follow() {
  e_l=
  read -r e_l
  exec 4<&0 0<&3 3<&-
  case $e_l in
  claimed) e_say claimed ;;
  lost) e_attach ;;
  changed | 'refused '*) e_say "$e_l"; exit 1 ;;
  *) e_unfit "\${e_l:-the command did not arrive whole}" ;;
  esac
  e_tail
  { read -r e_x <&4; e_final; } &
  e_w=$!
  exec 4<&-
  e_until_goodbye
}
e_open() {
  e_from=$1
  command -v setsid >/dev/null || e_unfit 'the program setsid is missing'
  e_home
  printf '@%s begin\\n' "$e_id"
  e_settle
  [ $e_kind = none ] || e_attach
  [ $# -lt 2 ] || command -v "$2" >/dev/null || e_unfit "the program $2 is missing"
  e_say none
  exec 3<&0
  EDGE_TASK_ID=$e_id setsid sh -s 3<&- | e_follow
  exit 0
}
`;

const READ = `
e_read() {
  e_home
  [ -z "$3" ] || e_o=$e_dir/$e_id.$3
  printf '@%s begin\\n' "$e_id"
  tail -c "+$(($1 + 1))" "$e_o" 2>/dev/null | head -c "$2"
  e_say done
  exit 0
}
`;

const STATUS = `
e_status() { e_home; e_report; exit 0; }
`;

const FORGET = `
e_forget() {
  e_home
  for e_id in "$@"; do
    e_f=$e_dir/$e_id.task e_o=$e_dir/$e_id.out
    e_state
    if [ $e_kind = claimed ] && e_alive; then continue; fi
    rm -f "$e_f" "$e_o" "$e_dir/$e_id.outputs" "$e_dir/$e_id".*.script
  done
  e_id=forget
  e_say done
  exit 0
}
`;

const UPLOAD = `
e_upload() {
  e_place "$1"
  e_path=$e_at e_want=$2 e_sum=$3 e_mode=$4
  e_say path "$e_path"
  if [ $# -gt 4 ]; then
    e_place "$5"
    if [ -f "$e_at" ] && e_digest "$e_at" && [ "$e_got" = "$6" ]; then e_say done; exit 0; fi
  fi
  [ ! -d "$e_path" ] || e_unfit "$e_path is a folder"
  if e_same "$e_path"; then chmod "$e_mode" "$e_path" && e_say done; exit 0; fi
  e_to=\${e_path%/*}/
  [ -d "$e_to" ] || e_err=$(mkdir -p "$e_to" 2>&1) || e_unfit "\${e_err:-cannot make $e_to}"
  e_tmp=$e_to.edge-upload.$$
  trap 'rm -f "$e_tmp"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  # Until it has its mode nobody else reads it: it may hold secrets.
  umask 077
  e_err=$( { : >"$e_tmp"; } 2>&1) || e_unfit "\${e_err:-cannot write in $e_to}"
  e_say ready
  e_err=$(cat 2>&1 >"$e_tmp") || e_unfit "\${e_err:-cannot write $e_tmp}"
  e_digest "$e_tmp" && [ "$e_got" = "$e_sum" ] || { e_say differs; exit 1; }
  [ "$e_mode" = 600 ] || e_err=$(chmod "$e_mode" "$e_tmp" 2>&1) || e_unfit "\${e_err:-cannot change the mode of $e_tmp}"
  e_err=$(mv -f "$e_tmp" "$e_path" 2>&1) || e_unfit "\${e_err:-cannot rename to $e_path}"
  trap - EXIT
  e_say done
  exit 0
}
e_same() {
  [ -f "$1" ] || return 1
  e_o=$1
  e_measure
  [ "$e_size" = "$e_want" ] && e_digest "$1" && [ "$e_got" = "$e_sum" ]
}
e_digest() { e_got=$(sha256sum <"$1") && e_got=\${e_got%% *}; }
e_place() { case $1 in '~/'*) e_at=$HOME/\${1#??} ;; *) e_at=$1 ;; esac; }
`;

const FACTS = `
e_facts() {
  e_home
  e_say system "$(uname -s -r -m)"
  for e_x in cat chmod df grep head id kill ln mkdir mv rm setsid sha256sum sleep tail uname wc fallocate; do
    command -v $e_x >/dev/null || e_say missing $e_x
  done
  df -Pk "$e_dir" | { read -r e_x; read -r e_x e_x e_x e_free e_x; e_say free "$e_free"; }
  e_say done
  exit 0
}
`;

const VERBS = {
  open: compact(COMMON + OPEN),
  read: compact(COMMON + READ),
  status: compact(COMMON + STATUS),
  cancel: compact(COMMON + CANCEL),
  forget: compact(COMMON + FORGET),
  upload: compact(COMMON + UPLOAD),
  facts: compact(COMMON + FACTS),
} as const;

export type Verb = keyof typeof VERBS;

/** The script of one verb. `id` marks its lines on stderr: `@<id> <word> <values…>`. */
export function verbScript(verb: Verb, id: string, args: readonly (string | number)[]): string {
  return `${VERBS[verb]}\n{ e_id=${shellQuote(id)}; e_${verb} ${args.map((arg) => shellQuote(String(arg))).join(' ')}; }\n`;
}
