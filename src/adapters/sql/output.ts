import type { DeploymentId, TaskId } from '../../domain/ids.ts';
import { WATCH_TOPIC } from '../../domain/topics.ts';
import type { TaskOutput } from '../../ports/task-board.ts';
import { all, insert, type Operation, type Scope } from './operation.ts';

type Row = {
  readonly id: TaskId;
  readonly deployment: DeploymentId;
  readonly target: string;
  readonly step: string;
};

/**
 * `TaskBoard.appendOutput`. A chunk of a task that is closed is dropped: its worker was fenced off, and whoever went on
 * from there has read the same output again.
 */
export function* appendOutput(scope: Scope, chunks: readonly TaskOutput[]): Operation<void> {
  const rows = yield* all<Row>(
    `SELECT id, deployment, target, step FROM tasks WHERE ${scope.dialect.inTexts('id')}`,
    JSON.stringify([...new Set(chunks.map(({ task }) => task))]),
  );
  const tasks = new Map(rows.map((row) => [row.id, row]));
  const columns = 'deployment, task, epoch, seq, target, step, at, body';
  yield* insert(
    { into: `${scope.dialect.insertIgnore} output (${columns})`, row: '(?, ?, ?, ?, ?, ?, ?, ?)' },
    chunks.flatMap(({ task, epoch, seq, text }) => {
      const row = tasks.get(task);
      return row ? [[row.deployment, task, epoch, seq, row.target, row.step, scope.now, text]] : [];
    }),
  );
  scope.ring(WATCH_TOPIC);
}
