import { type Command, InvalidArgumentError } from 'commander';
import { type DeploymentId, deploymentId } from '../domain/ids.ts';
import type { Job } from './context.ts';

/** Called by the command that a line names, with what it is to do. */
export type Choose = (job: Job) => void;

/** `usage` is its name and arguments, as commander writes them. The first sentence of the description stands in the list. */
export function newCommand(parent: Command, usage: string, description: string): Command {
  const [summary = description] = description.split(/(?<=\.) /);
  return parent.command(usage).summary(summary.replace(/\.$/, '')).description(description);
}

/** Every command has them; before the command they may stand too. */
export function addCommonOptions(command: Command): void {
  command
    .optionsGroup('Options of every command:')
    .option('--json', 'print one JSON value; an error is {"error": …}')
    .option('--no-color', 'no colours; so does the variable NO_COLOR')
    .option('--server <url>', 'the server to speak to; else EDGE_SERVER, else that of the data folder')
    .option('--token <token>', 'the token to show; better in EDGE_TOKEN, which others here cannot see')
    .option('--data <folder>', 'the data folder whose server is used, or started for this command');
}

export function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const each of command.commands) forEachCommand(each, visit);
}

/** `a,b,c` as a list. */
export function names(text: string): readonly string[] {
  const list = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (list.length === 0) throw new InvalidArgumentError('Give names with commas between.');
  return list;
}

export function wholeNumber(text: string): number {
  if (/^[0-9]{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 1 on.');
}

/** Appends to those that were given before, for an option that may be given several times. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** Ids come from people here; the server says whether there is such a deployment. */
export const deploymentNamed = (text: string): DeploymentId => deploymentId(text);

export const DETACH = ['-d, --detach', 'do not follow it; end as soon as it is under way'] as const;
export const BECAUSE = ['-r, --reason <text>', 'why; kept in the record'] as const;

/** Those of the options that were given, and none of those that every command has. */
export function only<T extends object, K extends keyof T>(options: T, ...keys: readonly K[]): Pick<T, K> {
  const given = keys.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]);
  // Keys that are left out are optional ones: commander sets no option that was not given.
  return Object.fromEntries(given) as Pick<T, K>;
}
