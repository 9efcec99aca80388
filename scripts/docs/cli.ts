// docs/reference/cli.md: every command with its arguments and options, from the command line itself.
import type { Command } from 'commander';
import { forEachCommand } from '../../src/cli/command.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { commandPath } from '../../src/cli/understand.ts';
import type { Piece } from './piece.ts';

const HEAD = `# The command line

\`edge\` speaks to a server over HTTP: to the one that \`--server\` or \`EDGE_SERVER\` names, else to that of the data folder. If
none runs there, it is one itself until the command ends; a second \`edge\` finds the first.

- Answers go to standard output; notes, questions and errors to standard error.
- \`--json\` prints exactly one JSON value to standard output, and nothing else goes there. \`watch\` and \`logs\` print one value
  on each line. An error is \`{"error": {"code", "message", "hint", "where"?, "also"?}}\`.
- The state is in the data folder, or in MariaDB 10.6 or MySQL 8 (or newer) that \`--store\` or \`EDGE_STORE\` names:
  \`mysql://user@host:3306/edge\`, an empty database at first. The password is in \`EDGE_STORE_PASSWORD\`, or where the address
  points to with \`?password=file:<path>\` or \`?password=env:<variable>\`, never in it. \`tls=verify\` encrypts and checks the
  server's certificate, with \`ca=<file>\` against that file. Servers on several machines share one such store.
- Exit status: 0 is success, 1 a deployment that ended \`failed\` or \`aborted\`, or waits for a
  decision, 130 means Ctrl-C (or "no" to a question); all
  others: [errors.md](errors.md).
- On a terminal a deployment is drawn in place; else, and with \`TERM=dumb\`, it is one line for each event. Times are UTC.
- Without a terminal, and with \`--json\`, a command that follows a deployment also ends when Edge has paused it and waits for a
  decision: with status 1 (\`"interrupted": "held"\`), the reason, and the commands to choose from. \`edge watch\` waits on.
- Ctrl-C while a deployment that you started is followed pauses it at a safe point and says how to go on; a second one leaves at
  once. What has been started on the hosts goes on in both cases, and nothing runs twice.
- Colours need a terminal, and none of \`NO_COLOR\`, \`--no-color\` and \`TERM=dumb\`.

This page is made from \`src/cli/\`.
`;

export async function cli(): Promise<readonly Piece[]> {
  const program = buildProgram('', () => {});
  const parts: string[] = [];
  forEachCommand(program, (command) => {
    if (command.options.length > 0) parts.push(section(command));
  });
  return [{ path: 'docs/reference/cli.md', content: `${HEAD}\n${parts.join('\n\n')}\n` }];
}

function section(command: Command): string {
  return [`## ${commandPath(command)}`, '', '```text', command.helpInformation().trim(), '```'].join('\n');
}
