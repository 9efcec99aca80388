import type { WorkerId } from '../../domain/ids.ts';
import type { Held, Renewed } from '../../ports/task-board.ts';
import { keepCheckpoints } from './checkpoints.ts';
import { heldBy } from './held.ts';
import { each, type Operation, run, type Scope } from './operation.ts';
import { CANCEL } from './tasks.ts';

/** `TaskBoard.renew`. A lease that has run out is still the worker's as long as nobody took the task. */
export function* renew(scope: Scope, worker: WorkerId, tasks: readonly Held[]): Operation<Renewed> {
  const held = yield* heldBy(scope, worker, tasks);
  const rows = [...held.values()];
  yield* run(
    `UPDATE tasks SET due_at = ? + lease_ms, cancel = CASE cancel WHEN ${CANCEL.none} THEN cancel ELSE ${CANCEL.told} END
     WHERE n IN (?)`,
    scope.now,
    rows.map(({ n }) => n),
  );
  yield* keepCheckpoints(tasks.filter(({ task }) => held.has(task)));
  yield* each(
    'UPDATE tasks SET progress = ? WHERE id = ?',
    tasks
      .filter(({ task, progress }) => progress !== undefined && held.has(task))
      .map(({ task, progress }) => [progress ?? null, task]),
  );
  return {
    lost: tasks.filter(({ task }) => !held.has(task)).map(({ task }) => task),
    cancel: rows.filter(({ cancel }) => cancel !== CANCEL.none).map(({ id }) => id),
  };
}
