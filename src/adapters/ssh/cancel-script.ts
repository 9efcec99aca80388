/** Cancel: the tombstone, or TERM, grace, KILL and looking until nobody is left. Stands on `COMMON`. */
export const CANCEL = `
# Sets e_victims: every living process of the task save its supervisor. They are those that carry its id in their
# environment, the children of the supervisor, and all in the sessions of these: an emptied environment does not hide one.
e_scan() {
  e_sids=' ' e_marked=' ' e_victims=
  # The session counts if its leader is the same process, or gone: the kernel gives no number twice while a session has it.
  if [ "$e_session" != 0 ] && [ "$e_claimboot" = "$e_boot" ]; then
    if [ ! -e "/proc/$e_session" ] || e_there "$e_session" "$e_sessionstart"; then e_sids=" $e_session "; fi
  fi
  for e_p in $(grep -l "EDGE_TASK_ID=$e_id" /proc/[0-9]*/environ 2>/dev/null); do
    e_p=\${e_p#/proc/}
    e_p=\${e_p%/environ}
    e_marked="$e_marked$e_p "
    e_stat=
    { read -r e_stat; } 2>/dev/null <"/proc/$e_p/stat"
    [ -n "$e_stat" ] || continue
    set -- \${e_stat##*) }
    # 0 stands for a session outside of this container, and would match every one of them.
    [ "$4" = 0 ] || e_sids="$e_sids$4 "
  done
  for e_p in /proc/[0-9]*; do
    e_p=\${e_p#/proc/}
    e_stat=
    { read -r e_stat; } 2>/dev/null <"/proc/$e_p/stat"
    [ -n "$e_stat" ] || continue
    set -- \${e_stat##*) }
    case $1 in Z | X) continue ;; esac
    if e_alive && [ "$e_p" = "$e_pid" ]; then continue; fi
    case $e_marked in *" $e_p "*) e_take "$e_p" "$3"; continue ;; esac
    case $e_sids in *" $4 "*) e_take "$e_p" "$3"; continue ;; esac
    if [ "$2" = "$e_pid" ] && e_alive; then e_take "$e_p" "$3"; fi
  done
}
# The group at once, so that no fork escapes between two signals; the supervisor's own group one by one.
e_take() {
  if [ "$2" = "$e_pid" ] || [ "$2" = 0 ]; then e_to=$1; else e_to=-$2; fi
  case " $e_victims " in *" $e_to "*) ;; *) e_victims="$e_victims $e_to" ;; esac
}
e_signal() { for e_p in $e_victims; do kill "-$1" "$e_p" 2>/dev/null; done; }
e_tombstone() {
  set -C
  { printf '%s\\n%80s\\n' "edge1 $e_boot cancelled 0 ." ''; } 2>/dev/null >"$e_f"
  set +C
  e_settle
  [ $e_kind != none ] || e_unfit "cannot write in $e_dir: is the disk full?"
}
e_end() {
  e_round=0 e_quiet=0 e_term=
  while [ $e_quiet -lt 2 ]; do
    e_state
    e_scan
    if [ -n "$e_victims" ]; then
      e_quiet=0
      if [ $e_round -ge $e_grace ]; then e_signal KILL
      elif [ -z "$e_term" ]; then e_signal TERM; e_term=1
      fi
    elif e_alive; then
      e_quiet=0
      [ $e_round -gt $((e_grace + 20)) ] && kill -KILL "$e_pid" 2>/dev/null
    else
      e_quiet=$((e_quiet + 1))
    fi
    e_round=$((e_round + 1))
    if [ $e_round -gt $((e_grace + 100)) ]; then e_say left $e_victims; exit 0; fi
    [ $e_quiet -lt 2 ] && e_tick
  done
}
e_cancel() {
  e_grace=$1
  e_home
  e_settle
  if [ $e_kind = none ]; then
    e_tombstone
    if [ $e_kind = cancelled ]; then e_say none; e_say gone; exit 0; fi
  fi
  e_report
  case $e_kind in cancelled | exited) e_say gone; exit 0 ;; esac
  e_end
  # A starter that found the disk full takes its claim back: then the place is free and the tombstone goes there.
  [ -e "$e_f" ] || e_tombstone
  e_say gone
  exit 0
}
`;
