import { Command } from 'commander';
import { nearest } from '../lib/nearest.ts';
import { addCommonOptions, type Choose, forEachCommand, newCommand } from './command.ts';
import { addApply } from './commands/apply.ts';
import { addApprove, addPromote } from './commands/approve.ts';
import { addDeploy, addRestart, addRollback } from './commands/deploy.ts';
import { addDiff } from './commands/diff.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDrift } from './commands/drift.ts';
import { addExec } from './commands/exec.ts';
import { addHistory } from './commands/history.ts';
import { addInit } from './commands/init.ts';
import { addJudge } from './commands/judge.ts';
import { addLogs } from './commands/logs.ts';
import { addPlan } from './commands/plan.ts';
import { addReleases } from './commands/releases.ts';
import { addDemo, addServer, addWorker } from './commands/roles.ts';
import { addStatus } from './commands/status.ts';
import { addAbort, addPause, addResume } from './commands/steer.ts';
import { addResolve, addRetry, addReturn, addSkip } from './commands/target.ts';
import { addTargets } from './commands/targets.ts';
import { addToken } from './commands/token.ts';
import { addTrust } from './commands/trust.ts';
import { addWatch } from './commands/watch.ts';

type Add = (program: Command, choose: Choose) => void;

/** All commands, under the heads that the help shows. */
const GROUPS: Readonly<Record<string, readonly Add[]>> = {
  'Begin:': [addDemo, addInit, addApply, addTrust, addDoctor],
  'Deploy:': [addDiff, addPlan, addDeploy, addRestart, addRollback, addReleases],
  'Look:': [addStatus, addTargets, addDrift, addWatch, addLogs, addHistory],
  'Run:': [addExec, addJudge],
  'Decide:': [
    addApprove,
    addPromote,
    addPause,
    addResume,
    addAbort,
    addRetry,
    addSkip,
    addResolve,
    addReturn,
  ],
  'Run Edge:': [addServer, addWorker, addToken],
};

const DESCRIPTION =
  'Edge deploys a release to any kind of platform, without downtime, under change control, and keeps the record.';

/** The whole command line as data; `choose` is called by the command that a line names. */
export function buildProgram(version: string, choose: Choose): Command {
  const program = new Command('edge')
    .description(DESCRIPTION)
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .enablePositionalOptions()
    .configureHelp({ helpWidth: 100, subcommandTerm: (command) => command.name() });
  for (const [group, adds] of Object.entries(GROUPS)) {
    program.commandsGroup(group);
    for (const add of adds) add(program, choose);
  }
  program.commandsGroup('Help:');
  addHelp(program, choose);
  forEachCommand(program, addCommonOptions);
  return program;
}

function addHelp(program: Command, choose: Choose): void {
  newCommand(program, 'help [command...]', 'Shows the commands, or all that one of them knows.').action(
    (path: readonly string[]) => {
      const command = path.reduce((parent, name) => childOf(parent, name), program);
      choose(async (cli) => {
        cli.environment.stdout.write(command.helpInformation());
        return 0;
      });
    },
  );
}

function childOf(parent: Command, name: string): Command {
  const found = parent.commands.find((command) => command.name() === name);
  if (found) return found;
  const near = nearest(
    name,
    parent.commands.map((command) => command.name()),
  );
  const hint = near === undefined ? '' : `\n(Did you mean ${near}?)`;
  return parent.error(`unknown command '${name}'${hint}`, { exitCode: 2, code: 'commander.unknownCommand' });
}
