import { shellQuote, shellQuoteAll } from '../../lib/shell-quote.ts';

/**
 * What runs on a host of nginx, as POSIX shell for dash, bash and busybox ash. Each script ends by saying how it went, in lines
 * that begin with `@<id> `. Reads share a lock on the folder of the file, a write has it alone.
 *
 * What is looked at: the file, when it was last written, the workers of this nginx (those of an earlier configuration are
 * `old`: they still serve what they had taken), and the TCP connections to the ports that the file names, as nginx's own
 * network sees them.
 */
const COMMON = `
e_say() { printf '\\n@%s %s\\n' "$e_id" "$*"; }
e_fail() { e_say "$*"; exit 1; }
e_begin() {
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
  for e_x in cat cp date flock grep head ln mv readlink rm sha256sum sleep sort stat sync tail; do
    command -v "$e_x" >/dev/null || e_fail refused "the program $e_x is missing"
  done
  e_f=$(readlink -f -- "$1") || e_f=$1
  { [ -f "$e_f" ] && [ -r "$e_f" ]; } || e_fail refused "there is no file $1 that can be read"
  e_dir=\${e_f%/*}/
  exec 9<"$e_dir" || e_fail refused "cannot read the folder $e_dir"
  flock $3 -w 15 9 || e_fail unreachable "somebody else has had $1 locked for 15 s"
  e_m=
  { read -r e_m; } 2>/dev/null <"$2"
  case $e_m in '' | *[!0-9]*) e_fail unreachable "$2 has no process id: nginx does not run, or keeps it elsewhere (pidFile)" ;; esac
  grep -q '^nginx: master process' "/proc/$e_m/cmdline" 2>/dev/null || e_fail unreachable "process $e_m of $2 is no master process of nginx"
}
# Prints what is to be known of each worker of this nginx: pid, start in clock ticks since boot, current or old.
e_workers() {
  for e_p in $(grep -sl '^nginx: worker process' /proc/[0-9]*/cmdline); do
    e_p=\${e_p#/proc/} e_p=\${e_p%/cmdline} e_s= e_age=current
    grep -q 'shutting down' "/proc/$e_p/cmdline" 2>/dev/null && e_age=old
    { read -r e_s; } 2>/dev/null <"/proc/$e_p/stat"
    set -- \${e_s##*) }
    if [ "\${2-}" = "$e_m" ] && [ "$1" != Z ]; then e_say worker "$e_p" "\${20}" "$e_age"; fi
  done
}
`;

const LOOK = `
e_look() {
  e_begin "$1" "$2" -s
  cat "$e_f" || e_fail refused "cannot read $1"
  # After the content: what is written meanwhile counts as not loaded.
  read -r e_up e_x </proc/uptime
  e_say times "$(stat -c %Y "$e_f")" "$(date +%s)" "$e_up"
  e_workers
  if [ -r "/proc/$e_m/net/tcp" ]; then
    e_ports=$(grep -o ':[1-9][0-9]*' "$e_f" | sort -u | while IFS=: read -r e_x e_p; do printf '|%04X' "$e_p"; done)
    grep -hiE "^ *[0-9]+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:(0050$e_ports) 0[12] " "/proc/$e_m/net/tcp" "/proc/$e_m/net/tcp6" 2>/dev/null |
      while read -r e_x e_x e_p e_x; do e_say peer "$e_p"; done
    e_say counted
  fi
  e_say done
}
`;

const WRITE = `
e_tick() { sleep 0.1 2>/dev/null || sleep 1; }
# No worker of before takes connections any more, and another does.
e_taken() {
  for e_p in $e_before; do
    grep -q '^nginx: worker process' "/proc/$e_p/cmdline" 2>/dev/null || continue
    grep -q 'shutting down' "/proc/$e_p/cmdline" 2>/dev/null || [ ! -e "/proc/$e_p" ] || return 1
  done
  e_workers | grep -q ' current$'
}
e_await() {
  e_n=0
  until e_taken; do
    [ $e_n -lt 100 ] || return 1
    e_n=$((e_n + 1))
    e_tick
  done
}
e_undo() { mv -f "$e_old" "$e_f" || e_fail refused "$* In addition the file before could not be put back; it is $e_old"; }
e_write() {
  e_begin "$1" "$2" -x
  e_have=$(sha256sum <"$e_f")
  [ "\${e_have%% *}" = "$3" ] || e_fail changed
  e_new=$e_dir.\${e_f##*/}.edge-new e_old=$e_dir.\${e_f##*/}.edge-old
  trap 'rm -f "$e_new"' EXIT
  trap 'exit 1' HUP INT TERM
  e_err=$(cp -p "$e_f" "$e_new" 2>&1) || e_fail refused "cannot write beside the file: $e_err"
  { head -c "$4" "$e_f"; printf %s "$6"; tail -c "+$(($5 + 1))" "$e_f"; } >"$e_new"
  e_have=$(sha256sum <"$e_new")
  [ "\${e_have%% *}" = "$7" ] || e_fail refused "cannot write in $e_dir: is the disk full?"
  sync "$e_new"
  e_err=$( { ln -f "$e_f" "$e_old" && mv -f "$e_new" "$e_f"; } 2>&1) || e_fail refused "cannot replace the file: $e_err"
  e_err=$(e_test 2>&1 9<&-) || { e_undo "nginx refuses the configuration."; e_fail refused "nginx refuses the configuration, which is as it was before: $e_err"; }
  e_before=$(e_workers | while read -r e_x e_x e_p e_x e_age; do [ "$e_age" = current ] && printf '%s ' "$e_p"; done)
  e_err=$(e_reload 2>&1 9<&-) || { e_undo "The reload failed."; e_fail refused "the reload failed, and the file is as it was before: $e_err"; }
  e_await || {
    e_undo "nginx did not take the configuration within 10 s."
    e_reload >/dev/null 2>&1 9<&-
    e_fail refused "nginx did not take the configuration within 10 s; its error log says why. The file is as it was before."
  }
  rm -f "$e_old"
  e_say done
}
`;

/** Without comments and indentation: it travels with each call. */
const compact = (script: string): string => script.replaceAll(/^ *#.*\n/gm, '').replaceAll(/^ +/gm, '');

const LOOK_TEXT = compact(COMMON + LOOK);
const WRITE_TEXT = compact(COMMON + WRITE);

export type Place = { readonly file: string; readonly pidFile: string };

/** Puts `text` in place of the bytes from `from` up to `to`, if the file is `before` by its SHA-256, and will be `after`. */
export type Edit = {
  readonly before: string;
  readonly after: string;
  readonly from: number;
  readonly to: number;
  readonly text: string;
};

export type Commands = { readonly test: readonly string[]; readonly reload: readonly string[] };

export function lookScript(id: string, { file, pidFile }: Place): string {
  return `${LOOK_TEXT}\ne_id=${id}\ne_look ${shellQuoteAll([file, pidFile])}\n`;
}

export function writeScript(id: string, place: Place & Commands, edit: Edit): string {
  const { file, pidFile, test, reload } = place;
  const { before, after, from, to, text } = edit;
  const words = [file, pidFile, before, String(from), String(to), text, after];
  return [
    WRITE_TEXT,
    `e_test() { ${shellQuoteAll(test)}; }`,
    `e_reload() { ${shellQuoteAll(reload)}; }`,
    `e_id=${id}`,
    `e_write ${words.map(shellQuote).join(' ')}`,
    '',
  ].join('\n');
}
