import { shellQuote } from '../../../src/lib/shell-quote.ts';
import type { Doing, Step } from './doing.ts';
import type { FileSeen, Hands } from './world.ts';

/** Runs a script as a task of its own; resolves with what it printed. */
type Shell = (script: string, ...args: string[]) => Promise<string>;

/** Hands that reach a host through commands of its own only: it needs a POSIX shell and what `facts` asks for. */
export function shellHands(sh: Shell): Hands {
  return {
    argvOf: (doing) => ['sh', '-c', scriptOf(doing)],
    scriptOf: (doing) => ({ argv: ['sh'], content: scriptOf(doing) }),
    linesOf: async (path) => Number(await sh('cat "$0" 2>/dev/null | wc -l', path)),
    // A zombie is dead: where nobody buries orphans, one stays in the table.
    isAlive: async (pid) =>
      (await sh('grep -q "^State:.[^XZ]" "/proc/$0/status" 2>/dev/null && echo yes || echo no', pid)) ===
      'yes',
    filesIn: async (folder) => filesOf(await sh(LIST, folder)),
    remove: async (paths) => void (await sh('rm -rf -- "$@" 2>/dev/null', '', ...paths)),
  };
}

/** A command that does this, in the words of a POSIX shell. */
function scriptOf({ steps, end = 0, onTerm }: Doing): string {
  return [
    ...(onTerm === undefined ? [] : [`trap ${shellQuote(trapOf(onTerm))} TERM`]),
    ...steps.map(lineOf),
    // In short sleeps: a shell looks at its traps between two commands.
    end === 'endless' ? 'while :; do sleep 0.1; done' : `exit ${end}`,
  ].join('\n');
}

function trapOf(onTerm: NonNullable<Doing['onTerm']>): string {
  return onTerm === 'ignore' ? '' : `printf %s ${shellQuote(onTerm.text)}; exit ${onTerm.code}`;
}

function lineOf(step: Step): string {
  switch (step.kind) {
    case 'print':
      return `printf %s ${shellQuote(step.text)}${step.to === 'stderr' ? ' >&2' : ''}`;
    case 'repeat':
      return `head -c ${step.times} /dev/zero | tr '\\0' ${shellQuote(step.character)}`;
    case 'encode':
      return `echo "$${step.variable}" | base64`;
    case 'give':
      return `printf %s ${shellQuote(step.text)} >>"$EDGE_OUTPUTS"`;
    case 'name itself':
      return 'echo $$';
    case 'count':
      return `echo x >>${shellQuote(step.path)}`;
    case 'wait':
      return `${step.hidden ? 'exec env -i ' : ''}sleep ${step.ms / 1000}`;
    case 'kill supervisor':
      return 'kill -KILL $PPID';
    default:
      return step satisfies never;
  }
}

/** Three lines for each file, of whatever name: its digest, its mode and its path. */
const LIST = `cd "$0" 2>/dev/null || exit 0
find . -type f | while IFS= read -r e_file; do
  sha256sum <"$e_file" | cut -c1-64
  ls -l "$e_file" | cut -c2-10
  printf '%s\\n' "$e_file"
done`;

function filesOf(listed: string): FileSeen[] {
  const lines = listed.split('\n');
  const files: FileSeen[] = [];
  for (let at = 0; at + 2 < lines.length; at += 3) {
    const [sha256 = '', mode = '', path = ''] = lines.slice(at, at + 3);
    files.push({ path: path.replace(/^\.\//, ''), sha256, mode: modeOf(mode) });
  }
  return files;
}

/** `rwxr-x---` as a number. */
function modeOf(letters: string): number {
  return [...letters].reduce((mode, letter) => mode * 2 + (letter === '-' ? 0 : 1), 0);
}
