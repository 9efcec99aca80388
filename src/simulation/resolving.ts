import type { MemoryStore } from '../adapters/memory/store.ts';
import type { ResolveTask } from '../domain/command.ts';
import type { Event } from '../domain/event.ts';
import { type DeploymentId, parseTaskId, type TaskId, taskId } from '../domain/ids.ts';
import { hostTargetOf, type Plan, type PlanTarget, type Step, stepsOfTarget } from '../domain/plan.ts';
import type { Draw } from './draw.ts';
import { refusalOf } from './invariants/policy-people.ts';
import { count, FAILED, type Recount, recountOf, type TargetCount } from './recount.ts';
import type { World } from './world.ts';

/** A task of which a person says how it ended. */
export type Looked = { readonly task: TaskId; readonly target: PlanTarget; readonly step: Step };
type Row = { readonly target: number; readonly step: number; readonly group: number };

const ENDED = `SELECT json_extract(body, '$.target') AS target, json_extract(body, '$.step') AS step,
    json_extract(body, '$.group') AS "group" FROM events
  WHERE deployment = ? AND json_extract(body, '$.kind') IN ('task.failed', 'task.unknown') ORDER BY version DESC`;

/** The tasks of a deployment that failed or are unknown, the last one first. */
export function endedTasks(store: MemoryStore, deployment: DeploymentId): readonly Looked[] {
  return looked(store, deployment, store.look<Row>(ENDED, deployment));
}

const RETRIED = `SELECT json_extract(body, '$.target') AS target, count(*) AS times FROM events
  WHERE deployment = ? AND json_extract(body, '$.kind') = 'target.retried' GROUP BY 1`;

/** Those of attempts that others came after: whatever is said of them, nothing may follow. */
export function staleTasks(store: MemoryStore, deployment: DeploymentId): readonly Looked[] {
  const rows = store.look<{ target: number; times: number }>(RETRIED, deployment);
  const groups = new Map(rows.map(({ target, times }) => [target, times]));
  return endedTasks(store, deployment).filter(({ task }) => {
    const { target, group } = parseTaskId(task);
    return group < (groups.get(target) ?? 0);
  });
}

/** Those that are being worked on, or wait. */
export function openTasks(store: MemoryStore, deployment: DeploymentId): readonly Looked[] {
  const rows = store.look<{ id: TaskId }>(
    'SELECT id FROM tasks WHERE deployment = ? ORDER BY id',
    deployment,
  );
  return looked(
    store,
    deployment,
    rows.map(({ id }) => parseTaskId(id)),
  );
}

/** A deployment as its log tells of it now. */
export function storyOf(store: MemoryStore, deployment: DeploymentId): Recount | undefined {
  const [found] = store.look<{ body: string }>(PLAN, deployment);
  if (!found) return undefined;
  const story = recountOf(JSON.parse(found.body) as Plan);
  const events = store.look<{ body: string }>(
    'SELECT body FROM events WHERE deployment = ? ORDER BY version',
    deployment,
  );
  for (const { body } of events) count(story, JSON.parse(body) as Event);
  return story;
}

/**
 * What somebody says who has looked at nothing: of a target that ended badly mostly, now and then of one that is not there. Only
 * what must be refused whatever happens next; to believe any other guess is not Edge's fault.
 */
export function guessOf(story: Recount, deployment: DeploymentId, draw: Draw): ResolveTask | undefined {
  const any = draw.int(0, story.targets.length);
  const indexes = (test: (target: TargetCount) => boolean): readonly number[] =>
    story.targets.flatMap((target, index) => (test(target) ? [index] : []));
  const failed = indexes(({ status }) => FAILED.has(status));
  const unseen = indexes(({ status, mayRun }) => status === 'unknown' && mayRun !== 'no');
  // What may still run is the rarest to end badly, and the most there is to refuse about.
  const among = unseen.length > 0 && draw.chance(0.7) ? unseen : failed;
  // Most targets are well: a guess about any of them is seldom about one that could be set at all.
  const target = among.length > 0 && draw.chance(0.8) ? draw.pick(among) : any;
  const { step, group } = story.targets[target] ?? { step: 0, group: 0 };
  const task = taskId({ deployment, target, group, step: Math.max(0, step - (draw.chance(0.1) ? 1 : 0)) });
  const as = draw.chance(0.8) ? 'succeeded' : 'failed';
  const guess = { kind: 'resolve', task, as, ended: draw.chance(0.5), reason: 'a guess' } as const;
  return refusalOf(story, guess)?.isFinal ? guess : undefined;
}

const PLAN = 'SELECT p.body FROM deployments d JOIN plans p ON p.hash = d.plan_hash WHERE d.id = ?';

function looked(store: MemoryStore, deployment: DeploymentId, rows: readonly Row[]): readonly Looked[] {
  const [found] = store.look<{ body: string }>(PLAN, deployment);
  const plan = found && (JSON.parse(found.body) as Plan);
  return rows.flatMap((row) => {
    const target = plan?.targets[row.target];
    const step = plan && stepsOfTarget(plan, row.target)[row.step];
    return target && step ? [{ task: taskId({ ...row, deployment }), target, step }] : [];
  });
}

/** What a person says who looks at the target: the step counts as done if what it is for is so, and nothing of it runs. */
export function resultOf(
  world: World,
  { target, step }: Looked,
): { readonly as: 'succeeded' | 'failed'; readonly ended: boolean } {
  // Whoever looks for himself at what a judge looks at may let it pass.
  if (isJudge({ step })) return { as: 'succeeded', ended: true };
  const ended = world.hosts.host(hostTargetOf(target)).running().length === 0;
  return { as: ended && isDone(world, { target, step }) ? 'succeeded' : 'failed', ended };
}

/** It works on no host. */
const isJudge = ({ step }: Pick<Looked, 'step'>): boolean => step.action.startsWith('canary.judge@');

/** Only of work on the host: whether a drain holds is its balancer's to know, and may change at any moment. */
function isDone(world: World, { target, step }: Pick<Looked, 'target' | 'step'>): boolean {
  const { running, current, isWell } = world.service(hostTargetOf(target));
  const wanted = target.release ?? current;
  switch (step.id) {
    case 'stop':
      return running === null;
    case 'install':
      return current === wanted;
    case 'start':
      return running !== null && running === wanted;
    case 'verify':
      return running === wanted && isWell;
    case 'settle':
      return true;
    default:
      return false;
  }
}
