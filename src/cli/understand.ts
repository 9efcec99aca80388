import { type Command, CommanderError } from 'commander';
import { EdgeError } from '../domain/errors.ts';
import { forEachCommand } from './command.ts';
import type { GlobalOptions, Job } from './context.ts';
import { buildProgram } from './program.ts';

export type Understood =
  | { readonly kind: 'run'; readonly job: Job; readonly options: GlobalOptions }
  | { readonly kind: 'help'; readonly text: string };

/** What a command line asks for; touches nothing. Throws `usage_invalid`. */
export function understand(argv: readonly string[], version: string): Understood {
  let chosen: Job | undefined;
  let named: Command | undefined;
  let printed = '';
  const program = buildProgram(version, (job) => {
    chosen = job;
  });
  program.hook('preAction', (_program, command) => {
    named = command;
  });
  forEachCommand(program, (command) => {
    command.exitOverride((error) => {
      named = command;
      throw error;
    });
    command.configureOutput({ writeOut: (text) => (printed += text), writeErr: () => {} });
  });
  try {
    program.parse(argv.length === 0 ? ['--help'] : argv, { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode !== 0) throw usageError(thrown, named ?? program);
  }
  if (!chosen || !named) return { kind: 'help', text: printed };
  return { kind: 'run', job: chosen, options: globalOptions(named) };
}

/** Those given before the command and those given after it; the nearest to the command's own wins. */
function globalOptions(command: Command): GlobalOptions {
  const levels: Partial<GlobalOptions>[] = [];
  for (let each: Command | null = command; each; each = each.parent) levels.push(each.opts());
  const first = <K extends 'server' | 'token' | 'data'>(key: K) =>
    levels.map((level) => level[key]).find((value) => value !== undefined);
  const [server, token, data] = [first('server'), first('token'), first('data')];
  return {
    json: levels.some((level) => level.json === true),
    color: levels.every((level) => level.color !== false),
    ...(server !== undefined && { server }),
    ...(token !== undefined && { token }),
    ...(data !== undefined && { data }),
  };
}

function usageError({ code, message, cause }: CommanderError, command: Command): EdgeError {
  const name = commandPath(command);
  const usage = `Usage: ${name} ${command.usage()}`;
  if (code === 'commander.help')
    return new EdgeError('usage_invalid', `A command is missing behind \`${name}\``, { hint: usage });
  const [what = '', suggestion] = message.replace(/^error: /, '').split('\n');
  const text = what.charAt(0).toUpperCase() + what.slice(1);
  const hint = suggestion === undefined ? usage : suggestion.replaceAll(/^\(|\)$/g, '');
  return new EdgeError('usage_invalid', text, { hint, cause });
}

/** `edge releases create`. */
export const commandPath = (command: Command): string =>
  [command.parent ? commandPath(command.parent) : '', command.name()].join(' ').trim();
