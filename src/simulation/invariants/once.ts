import { remoteIdOf } from '../../actions/remote-command.ts';
import { parseTaskId, type TaskId } from '../../domain/ids.ts';
import type { Eyes, MakeInvariant, Watched } from '../eyes.ts';
import type { Fact } from '../facts.ts';

type Started = Extract<Fact, { kind: 'command.started' }>;

/** Looks and installs may be repeated under new ordinals; there are never so many. */
const ORDINALS = 40;

/**
 * I5: a command starts at most once for its task, by the host's own count, and a target is tried again only when a person asked
 * for it. I13: the intent, with the host's identity, is on the board before a command starts; members change only under a task
 * that is open.
 */
export const once: MakeInvariant = (eyes) => ({
  see: (fact) => {
    if (fact.kind === 'command.started') checkCommand(eyes, fact);
    if (fact.kind === 'member.changed' && fact.by === 'edge') checkMember(eyes, fact.target);
  },
});

function checkCommand(eyes: Eyes, { target, what, task }: Started): void {
  const starts = eyes.world.hosts.host(target).starts.get(task.id) ?? 0;
  eyes.checked('I5');
  if (starts > 1) eyes.violate('I5', `${what} on ${target} was started ${starts} times`);
  const active = eyes.activeOf(target);
  const known = active && taskOf(active, target, task.id);
  eyes.checked('I13');
  if (!active || !known) {
    eyes.violate('I13', `${what} on ${target} was started for no task that is open`);
    return;
  }
  const { group } = parseTaskId(known);
  const asked = eyes.retriesOf(active.id, target);
  if (group > asked) eyes.violate('I5', `${target} is tried again by itself: group ${group}, asked ${asked}`);
  if (!checkpointOf(eyes, known)?.includes('bootId'))
    eyes.violate('I13', `${what} on ${target} was started before its intent was stored`);
}

function taskOf({ tasks }: Watched, target: string, id: string): TaskId | undefined {
  for (const task of tasks.get(target) ?? [])
    for (let ordinal = 0; ordinal < ORDINALS; ordinal += 1) if (remoteIdOf(task, ordinal) === id) return task;
  return undefined;
}

/** A write that was under way when its worker died may arrive when the next step has begun; it had its intent. */
function checkMember(eyes: Eyes, target: string): void {
  const active = eyes.activeOf(target);
  const [task] = active?.tasks.get(target) ?? [];
  eyes.checked('I13');
  if (!active || task === undefined) {
    eyes.violate('I13', `a member of ${target} was changed for no task that is open`);
    return;
  }
  const [row] = eyes.store.look<Row>('SELECT action, checkpoint FROM tasks WHERE id = ?', task);
  if (row?.action.startsWith('balancer.') && row.checkpoint === null)
    eyes.violate('I13', `a member of ${target} was changed before the intent was stored`);
}

type Row = { readonly action: string; readonly checkpoint: string | null };

function checkpointOf({ store }: Eyes, task: TaskId): string | null {
  const [row] = store.look<{ checkpoint: string | null }>('SELECT checkpoint FROM tasks WHERE id = ?', task);
  return row?.checkpoint ?? null;
}
