import { refusedCommand } from '../domain/command-policy.ts';
import type { Environment } from '../domain/environment.ts';
import { EdgeError, together } from '../domain/errors.ts';
import type { Plan } from '../domain/plan.ts';
import { inertJson } from '../lib/inert-text.ts';
import type { Platform } from './sequences.ts';

/**
 * Throws `command_refused` for what the environment does not let run: in the steps of the plan, and in those of its rollback. The
 * plan is frozen then, so that nobody need ask again.
 */
export function refuseCommands(
  { sequences }: Pick<Plan, 'sequences'>,
  platform: Platform,
  { name, commands }: Environment,
): void {
  if (!commands) return;
  const refused = new Map<string, EdgeError>();
  for (const step of Object.values(sequences).flat()) {
    for (const command of platform.commands(step)) {
      const refusal = refusedCommand(commands, command);
      if (!refusal) continue;
      const what = 'script' in command ? `the script ${command.script}` : inertJson(command);
      const why = refusal.rule ? `${name} denies by ${inertJson(refusal.rule)}` : `no rule of ${name} allows`;
      const text = `The step ${step.id} would run ${what}, which ${why}`;
      refused.set(text, new EdgeError('command_refused', text, { where: { path: pathOf(refusal.path) } }));
    }
  }
  const all = together([...refused.values()]);
  if (all) throw all;
}

const pathOf = (path: readonly (string | number)[]): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${part}`),
    'commands',
  );
