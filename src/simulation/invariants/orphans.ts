import { remoteIdOf } from '../../actions/remote-command.ts';
import { memberKey } from '../../domain/capacity.ts';
import { type DeploymentId, type TaskId, taskId } from '../../domain/ids.ts';
import { hostTargetOf } from '../../domain/plan.ts';
import type { Eyes, MakeInvariant } from '../eyes.ts';
import type { Fact } from '../facts.ts';
import { refsOf } from '../scenario.ts';

/**
 * I17: in the end nothing is left behind without an owner: no task, lock or hold of what has ended, no command that runs, and no
 * member out of service that nobody has parked. A task that counts as cancelled has no command that runs, from that moment on.
 */
export const orphans: MakeInvariant = (eyes) => ({
  see: (fact) => {
    if (fact.kind === 'committed' && fact.committed.kind === 'committed') checkCancelled(eyes, fact);
  },
  end: () => {
    checkTables(eyes);
    checkCommands(eyes);
    checkMembers(eyes);
  },
});

/** A task has few commands: installs are done again, and a check follows on a command. */
const ORDINALS = 40;

function checkCancelled(eyes: Eyes, { lease, commit }: Extract<Fact, { kind: 'committed' }>): void {
  const { deployment } = lease;
  for (const event of commit.events) {
    if (event.kind !== 'task.failed' || event.error.code !== 'task_cancelled') continue;
    const target = eyes.deployments.get(deployment)?.plan.targets[event.target];
    const name = target ? hostTargetOf(target) : '';
    const task = taskId({ deployment, ...event });
    const ids = new Set(commandsOf(task));
    eyes.checked('I17');
    if (
      eyes.world.hosts
        .host(name)
        .running()
        .some((id) => ids.has(id))
    )
      eyes.violate('I17', `${task} counts as cancelled, and still runs on ${name}`);
  }
}

const LEFT: readonly (readonly [what: string, sql: string])[] = [
  ['tasks', 'SELECT count(*) AS n FROM tasks'],
  ['locks', 'SELECT count(*) AS n FROM locks'],
  ['holds that are taken', `SELECT count(*) AS n FROM holds WHERE phase = 'taken'`],
];

function checkTables({ store, checked, violate }: Eyes): void {
  for (const [what, sql] of LEFT) {
    const n = store.look<{ n: number }>(sql)[0]?.n ?? 0;
    checked('I17');
    if (n > 0) violate('I17', `${n} ${what} are left when all has ended`);
  }
}

function checkCommands({ scenario, world, store, checked, violate }: Eyes): void {
  const told = commandsToldOf(store);
  for (const { name } of scenario.targets) {
    const running = world.hosts
      .host(name)
      .running()
      .filter((id) => !told.has(id));
    checked('I17');
    if (running.length > 0) violate('I17', `${running.length} commands still run on ${name}`);
  }
}

type Row = {
  readonly deployment: DeploymentId;
  readonly target: number;
  readonly step: number;
  readonly group: number;
};

/** Those of which people were told that they may still run: nobody saw their end. */
export function commandsToldOf(store: Eyes['store']): ReadonlySet<string> {
  const field = (name: string): string => `json_extract(body, '$.${name}') AS "${name}"`;
  const rows =
    store.look<Row>(`SELECT deployment, ${['target', 'step', 'group'].map(field).join(', ')} FROM events
    WHERE json_extract(body, '$.kind') = 'task.unknown' OR json_extract(body, '$.error.code') = 'outcome_unknown'`);
  return new Set(rows.flatMap((row) => commandsOf(taskId(row))));
}

/**
 * Follows the commands: gives the target on which one of an earlier deployment has ended now, one of which people were told that it may
 * still run. What it does beside the deployment that is active is not Edge's to see.
 */
export function strangersOf({ activeOf, store }: Eyes): (fact: Fact) => string | undefined {
  const startedFor = new Map<string, DeploymentId | undefined>();
  return (fact) => {
    if (fact.kind === 'command.started' && fact.what !== 'look')
      startedFor.set(fact.task.id, activeOf(fact.target)?.id);
    if (fact.kind !== 'command.ended' || fact.what === 'look') return undefined;
    const isOwn = startedFor.get(fact.task.id) === activeOf(fact.target)?.id;
    return isOwn || !commandsToldOf(store).has(fact.task.id) ? undefined : fact.target;
  };
}

/** The ids under which a host would know the commands of a task. */
const commandsOf = (task: TaskId): readonly string[] =>
  Array.from({ length: ORDINALS }, (_, ordinal) => remoteIdOf(task, ordinal));

function checkMembers({ scenario, world, store, foundAs, checked, violate }: Eyes): void {
  const rows = store.look<{ balancer: string; pool: string; member: string }>(
    'SELECT balancer, pool, member FROM holds',
  );
  const held = new Set(rows.map(memberKey));
  for (const target of scenario.targets) {
    for (const [n, ref] of refsOf(target).entries()) {
      const { admin } = world.member(ref.balancer, ref);
      const wasDisabled = target.found === 'disabled' || target.members[n]?.isDisabled === true;
      const isByHand = wasDisabled || world.lastEditedByHand(ref.balancer, ref);
      const isAsFound = foundAs(ref) !== 'enabled';
      checked('I17');
      if (admin !== 'enabled' && !isByHand && !isAsFound && !held.has(memberKey(ref)))
        violate('I17', `${target.name} is ${admin} in ${ref.pool}, and nobody has parked it`);
    }
  }
}
