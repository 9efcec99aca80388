import { shellQuote, shellQuoteAll } from '../../lib/shell-quote.ts';
import type { RemoteScript } from '../../ports/hosts.ts';
import { COMMON, compact } from './script-common.ts';

/** Claims, runs the command and writes down how it ended; lives in a session of its own. */
const SUPERVISOR = `
e_punch() { fallocate -p -o "$e_cut" -l "$(($1 - e_cut))" "$e_o" && e_cut=$1; }
# Once a second: frees what lies between the first and the last part of an output that is over the limit.
e_trim() {
  while sleep 1 && kill -0 $$ && [ -e "$e_o" ]; do
    e_measure
    if [ $((e_size - e_keep - e_cut)) -gt 4194304 ]; then e_punch $((e_size - e_keep)) || return; fi
  done
}
# Only while nothing of the task has started.
e_refuse() { echo "refused $*" >&9; exit 1; }
e_full() { e_refuse "cannot write in $e_dir: is the disk full?"; }
# Before the claim, so that a script that is not what was sent is as if nobody had come.
e_bring() {
  e_s=$e_dir/$e_id.$$.script
  trap 'rm -f "$e_s"' EXIT
  (umask 077 && e_bytes >"$e_s") && chmod 700 "$e_s" && [ "$(wc -c <"$e_s")" -eq "$2" ] || e_full
  e_sum=$(sha256sum <"$e_s") || e_refuse 'its script cannot be read by sha256sum'
  [ "\${e_sum%% *}" = "$1" ] || { echo changed >&9; exit 1; }
}
e_claim() {
  # Not a colon, with which a shell ends if its redirection fails, and no word is said.
  true >>"$e_o" || e_full
  { read -r e_l; } </proc/$$/stat
  set -- \${e_l##*) }
  e_line="edge1 $e_boot $$ \${20} ."
  e_mine=
  set -C
  { e_mine=1; printf '%s\\n%80s\\n' "$e_line" ''; } >"$e_f"
  set +C
  if [ -z "$e_mine" ] && [ -e "$e_f" ]; then echo lost >&9; exit 0; fi
  # Read back: not every shell tells of a write that failed. Nothing has started, so the claim can be taken back.
  e_a= e_b=
  { read -r e_a; IFS= read -r e_b; } <"$e_f"
  if [ "$e_a" != "$e_line" ] || [ \${#e_b} -ne 80 ]; then
    rm -f "$e_f"
    e_full
  fi
}
e_note() { printf '%s\\n%-80s\\n' "$e_line" "$*" 1<>"$e_f"; }
e_command() {
  exec 9>&-
  # The shell's own pid, by which the command and its session will go: setsid keeps it.
  { read -r e_l; } </proc/self/stat
  e_p=\${e_l%% *}
  set -- \${e_l##*) }
  e_note session "$e_p" "\${20}" .
  e_payload
}
# 9 is the pipe to the follower. Its end tells that the supervisor is gone, so the command must not hold it.
e_supervise() {
  exec 9>&1 1>/dev/null 2>/dev/null 0</dev/null
  e_id=$1 e_dir=$2 e_boot=$3 e_cut=$4 e_keep=$5
  e_f=$e_dir/$e_id.task e_o=$e_dir/$e_id.out e_s=
  [ $# -lt 6 ] || e_bring "$6" "$7"
  e_claim
  echo claimed >&9
  cd "$HOME" || cd /
  # Not as a redirection of the call: the shell would keep a copy of 9 to put back.
  { exec 9>&-; e_trim; } &
  e_w=$!
  # In the foreground: a shell makes what it puts in the background deaf to INT and QUIT.
  (e_command) >>"$e_o" 2>&1
  e_code=$?
  [ -z "$e_s" ] || rm -f "$e_s"
  kill "$e_w"
  e_measure
  e_note exit "$e_code" "$e_size" .
  [ $((e_size - e_keep - e_cut)) -gt 0 ] && e_punch $((e_size - e_keep))
  # All has been told. What is left of tasks that ended a month ago can fence nobody any more; one task in sixteen looks for it.
  exec 9>&-
  case $e_id in *[!0]) exit 0 ;; esac
  find "$e_dir/." ! -name . -prune -type f -mtime +30 '(' -name '*.task' -o -name '*.out' -o -name '*.script' -o -name '*.outputs' ')' -exec rm -f '{}' +
  exit 0
}
`;

const SUPERVISOR_TEXT = compact(
  `${COMMON.slice(COMMON.indexOf('e_measure()'), COMMON.indexOf('e_report()'))}${SUPERVISOR}`,
);

export type SupervisorArgs = {
  readonly id: string;
  readonly stateFolder: string;
  readonly bootId: string;
  /** The first byte of output that may be freed, and how many of the last bytes must stay. */
  readonly headBytes: number;
  readonly tailBytes: number;
};

export type Payload = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  readonly script?: Pick<RemoteScript, 'content' | 'sha256'> | undefined;
};

/** What is sent after the host has said `none` and the caller has stored the host's identity: this starts the task. */
export function supervisorScript(args: SupervisorArgs, payload: Payload): string {
  const { script } = payload;
  const words = [
    ...[args.id, args.stateFolder, args.bootId, args.headBytes, args.tailBytes],
    ...(script ? [script.sha256, Buffer.byteLength(script.content)] : []),
  ];
  const bytes = script ? `e_bytes() { printf %s ${shellQuote(script.content)}; }\n` : '';
  return (
    `${SUPERVISOR_TEXT}\n${bytes}e_payload() {\n${payloadLines(payload).join('\n')}\n}\n` +
    `{ e_supervise ${words.map((word) => shellQuote(String(word))).join(' ')}; }\n`
  );
}

/**
 * `setsid` is found before a PATH of the task's own is set, which costs a fork; 126 is what a shell says of a command that it cannot
 * run.
 */
function payloadLines({ argv, env, cwd, script }: Payload): string[] {
  const hasPath = 'PATH' in env;
  return [
    // No variable of the task's own can hide what is in the place of an argument.
    ...(script ? ['set -- "$e_s" "$e_dir/$e_id.outputs"', '(umask 077; : >"$2")'] : []),
    ...(hasPath ? ['e_setsid=$(command -v setsid)'] : []),
    ...(cwd === undefined ? [] : [`CDPATH= cd -- ${folderWord(cwd)} >/dev/null || exit 126`]),
    ...Object.entries(env).map(([name, value]) => `export ${name}=${shellQuote(value)}`),
    ...(script ? ['export EDGE_OUTPUTS="$2"'] : []),
    `exec ${hasPath ? '"$e_setsid"' : 'setsid'} -- ${shellQuoteAll(argv)}${script ? ' "$1"' : ''}`,
  ];
}

/** `~/` at its start is the home of the user that the command runs as; nothing else of it is special. */
function folderWord(folder: string): string {
  if (folder === '~') return '"$HOME"';
  return folder.startsWith('~/') ? `"$HOME"/${shellQuote(folder.slice(2))}` : shellQuote(folder);
}
