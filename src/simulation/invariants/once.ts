import { remoteIdOf } from '../../actions/remote-command.ts';
import { parseTaskId, type TaskId, taskId } from '../../domain/ids.ts';
import type { Eyes, MakeInvariant } from '../eyes.ts';
import type { Fact } from '../facts.ts';

type Changed = Extract<Fact, { kind: 'member.changed' }>;
type Started = Extract<Fact, { kind: 'command.started' }>;

/** Looks and installs are repeated under new ordinals: at most so many after the last one that was started. */
const AHEAD = 40;

/** The ids under which a host would know the commands of a task, as many as were needed so far. */
type Ids = { readonly ordinals: Map<string, number>; started: number };
type KnownIds = Map<TaskId, Ids>;

/**
 * I5: a command starts at most once for its task, by the host's own count, a target is tried again only when a person asked for
 * it, and then never beside a command of the same step from before. I13: the intent, with the host's identity, is on the board before a command starts; members change only under a task
 * that is open, or are taken out again while they are kept out.
 */
export const once: MakeInvariant = (eyes) => {
  const ids: KnownIds = new Map();
  return {
    see: (fact) => {
      if (fact.kind === 'command.started') checkCommand(eyes, fact, ids);
      if (fact.kind === 'member.changed' && fact.by === 'edge') checkMember(eyes, fact);
    },
  };
};

function checkCommand(eyes: Eyes, { target, what, task }: Started, ids: KnownIds): void {
  const starts = eyes.world.hosts.host(target).starts.get(task.id) ?? 0;
  eyes.checked('I5');
  if (starts > 1) eyes.violate('I5', `${what} on ${target} was started ${starts} times`);
  const [found] = eyes.allActiveOf(target).flatMap((active) => {
    const known = [...(active.tasks.get(target) ?? [])].find((open) => isOf(ids, open, task.id));
    return known ? [{ active, known }] : [];
  });
  eyes.checked('I13');
  if (!found) {
    eyes.violate('I13', `${what} on ${target} was started for no task that is open`);
    return;
  }
  const { active, known } = found;
  const { group, target: index } = parseTaskId(known);
  const asked = eyes.retriesOf(active.id, active.plan.targets[index]?.name ?? '');
  if (group > asked) eyes.violate('I5', `${target} is tried again by itself: group ${group}, asked ${asked}`);
  const running = new Set(eyes.world.hosts.host(target).running());
  for (let earlier = 0; earlier < group; earlier += 1) {
    const before = taskId({ ...parseTaskId(known), group: earlier });
    for (let ordinal = 0; ordinal < AHEAD; ordinal += 1)
      if (running.has(remoteIdOf(before, ordinal)))
        eyes.violate('I5', `${what} on ${target} was started beside what was run of it before the retry`);
  }
  if (!checkpointOf(eyes, known)?.includes('bootId'))
    eyes.violate('I13', `${what} on ${target} was started before its intent was stored`);
}

function isOf(known: KnownIds, task: TaskId, id: string): boolean {
  const ids = known.get(task) ?? { ordinals: new Map(), started: 0 };
  known.set(task, ids);
  const { ordinals } = ids;
  while (ordinals.size < ids.started + AHEAD) ordinals.set(remoteIdOf(task, ordinals.size), ordinals.size);
  const ordinal = ordinals.get(id);
  if (ordinal === undefined) return false;
  ids.started = Math.max(ids.started, ordinal + 1);
  return true;
}

/** A write that was under way when its worker died may arrive when the next step has begun; it had its intent. */
function checkMember(eyes: Eyes, { target, member, after }: Changed): void {
  if (after.admin !== 'enabled' && eyes.isKept(member)) return;
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
