import type { DeploymentId, TaskId } from '../../domain/ids.ts';
import { poolTopic } from '../../domain/topics.ts';
import { all, each, insert, type Operation, type Row, run, type Scope } from './operation.ts';
import type { PackedCommit, PackedTask } from './packed.ts';

/** `tasks.cancel`: nobody asked; a commit asked; the worker that has the task was told. */
export const CANCEL = { none: 0, asked: 1, told: 2 } as const;

type Changes = Pick<PackedCommit, 'open' | 'close' | 'rearm' | 'cancel'>;

/** What a commit does to task rows; rings the pools whose workers have something new. */
export function* changeTasks(scope: Scope, deployment: DeploymentId, changes: Changes): Operation<void> {
  yield* close(changes.close);
  yield* rearm(changes.rearm);
  yield* cancel(changes.cancel);
  yield* open(scope, deployment, changes.open);
  const touched = yield* poolsOf([...changes.rearm, ...changes.cancel]);
  for (const pool of new Set([...touched, ...changes.open.map(([, , , , pool]) => pool)])) {
    scope.ring(poolTopic(pool));
  }
}

/** A late report of a closed task finds no row and has no effect; its history is in the events. */
function* close(tasks: readonly TaskId[]): Operation<void> {
  if (tasks.length === 0) return;
  yield* run(`DELETE FROM tasks WHERE id IN (?)`, tasks);
}

/** Only a task that has reported: one that a worker has claimed since must not be torn from it. The checkpoint stays. */
function* rearm(tasks: Changes['rearm']): Operation<void> {
  yield* each(
    `UPDATE tasks SET state = 'ready', owner = NULL, wake_at = ?, due_at = ?, deadline_at = COALESCE(?, deadline_at),
       cancel = CASE WHEN ? IS NULL THEN cancel ELSE ${CANCEL.none} END
     WHERE id = ? AND state = 'reported'`,
    tasks.map(({ task, wakeAt, deadlineAt }) => [
      wakeAt,
      wakeAt,
      deadlineAt ?? null,
      deadlineAt ?? null,
      task,
    ]),
  );
}

/** A task that nobody works on is first in the queue from now on, however long it was to wait. */
function* cancel(tasks: Changes['cancel']): Operation<void> {
  yield* each(
    `UPDATE tasks SET cancel = CASE cancel WHEN ${CANCEL.none} THEN ${CANCEL.asked} ELSE cancel END, deadline_at = ?,
       due_at = CASE WHEN state IN ('ready', 'waiting') THEN 0 ELSE due_at END WHERE id = ?`,
    tasks.map(({ task, deadlineAt }) => [deadlineAt, task]),
  );
}

function* open(scope: Scope, deployment: DeploymentId, tasks: readonly PackedTask[]): Operation<void> {
  const columns = `id, deployment, target, step, action, pool, inputs, state, wake_at, due_at, deadline_at,
    epoch, attempt, lease_ms, quarantine_until, cancel`;
  yield* insert(
    {
      into: `INSERT INTO tasks (${columns})`,
      row: "(?, ?, ?, ?, ?, ?, ?, 'ready', ?, ?, ?, 0, 0, 0, 0, 0)",
      end: scope.dialect.orIgnore(['id']),
    },
    tasks.map((task) => taskRow(task, deployment)),
  );
}

const taskRow = (
  [id, target, step, action, pool, inputs, wakeAt, deadlineAt]: PackedTask,
  deployment: DeploymentId,
): Row => [id, deployment, target, step, action, pool, inputs, wakeAt, wakeAt, deadlineAt];

function* poolsOf(tasks: readonly { readonly task: TaskId }[]): Operation<readonly string[]> {
  if (tasks.length === 0) return [];
  const rows = yield* all<{ pool: string }>(
    `SELECT DISTINCT pool FROM tasks WHERE id IN (?)`,
    tasks.map(({ task }) => task),
  );
  return rows.map(({ pool }) => pool);
}
