import type { DeploymentId, TaskId } from '../../domain/ids.ts';
import { WATCH_TOPIC } from '../../domain/topics.ts';
import type { TaskOutput } from '../../ports/task-board.ts';
import { all, each, insert, type Operation, type Scope } from './operation.ts';

type Row = {
  readonly id: TaskId;
  readonly deployment: DeploymentId;
  readonly target: string;
  readonly step: string;
  readonly epoch: number;
};

/**
 * `TaskBoard.appendOutput`. A chunk of a task that is closed or has a newer owner is dropped: its worker was fenced off, and
 * whoever went on from the checkpoint has read the same output again.
 */
export function* appendOutput(scope: Scope, chunks: readonly TaskOutput[]): Operation<void> {
  const rows = yield* all<Row>(
    `SELECT id, deployment, target, step, epoch FROM tasks
     WHERE ${scope.dialect.inTexts('id')} ${scope.dialect.forUpdate}`,
    JSON.stringify([...new Set(chunks.map(({ task }) => task))]),
  );
  const tasks = new Map(rows.map((row) => [row.id, row]));
  const kept = chunks.flatMap((chunk) => {
    const row = tasks.get(chunk.task);
    return row?.epoch === chunk.epoch ? [{ row, chunk }] : [];
  });
  const columns = 'deployment, task, epoch, seq, target, step, at, body';
  yield* insert(
    { into: `${scope.dialect.insertIgnore} output (${columns})`, row: '(?, ?, ?, ?, ?, ?, ?, ?)' },
    kept.map(({ row: { deployment, target, step }, chunk: { task, epoch, seq, text } }) => {
      return [deployment, task, epoch, seq, target, step, scope.now, text];
    }),
  );
  yield* each(
    `UPDATE tasks SET checkpoint = ? WHERE id = ? AND state = 'claimed'`,
    kept
      .filter(({ chunk }) => chunk.checkpoint !== undefined)
      .map(({ chunk: { checkpoint, task } }) => [JSON.stringify(checkpoint), task]),
  );
  scope.ring(WATCH_TOPIC);
}
