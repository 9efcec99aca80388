import type { DeploymentId, TaskId, WorkerId } from '../../domain/ids.ts';
import { all, type Operation, type Scope } from './operation.ts';

/** A row that is still the worker's, by task and epoch. */
export type HeldRow = {
  readonly n: number;
  readonly id: TaskId;
  readonly deployment: DeploymentId;
  readonly epoch: number;
  readonly cancel: number;
};

/** Of these claims those that still hold: nobody claimed the task since, and it has not reported (M5). */
export function* heldBy(
  scope: Scope,
  worker: WorkerId,
  claims: readonly { readonly task: TaskId; readonly epoch: number }[],
): Operation<ReadonlyMap<TaskId, HeldRow>> {
  const rows = yield* all<HeldRow>(
    `SELECT n, id, deployment, epoch, cancel FROM tasks
     WHERE id IN (?) AND owner = ? AND state = 'claimed' ${scope.dialect.forUpdate}`,
    claims.map(({ task }) => task),
    worker,
  );
  const epochs = new Map(claims.map(({ task, epoch }) => [task, epoch]));
  return new Map(rows.filter((row) => epochs.get(row.id) === row.epoch).map((row) => [row.id, row]));
}
