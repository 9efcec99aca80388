import type { DeploymentId, TaskId } from '../../domain/ids.ts';
import { WATCH_TOPIC } from '../../domain/topics.ts';
import type { TaskOutput } from '../../ports/task-board.ts';
import { keepCheckpoints } from './checkpoints.ts';
import { all, insert, type Operation, type Scope } from './operation.ts';

type Row = {
  readonly id: TaskId;
  readonly deployment: DeploymentId;
  readonly target: string;
  readonly step: string;
  readonly epoch: number;
};

/**
 * `TaskBoard.appendOutput`, one call at a time for each deployment: who follows its output reads on after the last id that he
 * has seen, so a smaller one must not come to light later. A chunk of a task that is closed or has a newer owner is dropped: its worker was fenced off, and
 * whoever went on from the checkpoint has read the same output again. So is the late copy of one that is here already: it would
 * set the checkpoint back.
 */
export function* appendOutput(scope: Scope, chunks: readonly TaskOutput[]): Operation<void> {
  const ids = [...new Set(chunks.map(({ task }) => task))];
  yield* takeTurns(scope, ids);
  const { forUpdate } = scope.dialect;
  const rows = yield* all<Row>(
    `SELECT id, deployment, target, step, epoch FROM tasks WHERE id IN (?) ${forUpdate}`,
    ids,
  );
  const tasks = new Map(rows.map((row) => [row.id, row]));
  const last = yield* lastChunks(ids);
  const kept = chunks.flatMap((chunk) => {
    const row = tasks.get(chunk.task);
    const isNew = chunk.seq > (last.get(`${chunk.task} ${chunk.epoch}`) ?? -1);
    return row?.epoch === chunk.epoch && isNew ? [{ row, chunk }] : [];
  });
  const columns = 'deployment, task, epoch, seq, target, step, at, body';
  yield* insert(
    {
      into: `INSERT INTO output (${columns})`,
      row: '(?, ?, ?, ?, ?, ?, ?, ?)',
      end: scope.dialect.orIgnore(['task', 'epoch', 'seq']),
    },
    kept.map(({ row: { deployment, target, step }, chunk: { task, epoch, seq, text } }) => {
      return [deployment, task, epoch, seq, target, step, scope.now, text];
    }),
  );
  yield* keepCheckpoints(kept.map(({ chunk }) => chunk));
  scope.ring(WATCH_TOPIC);
}

/** The number of the newest chunk of each claim. */
function* lastChunks(ids: readonly TaskId[]): Operation<ReadonlyMap<string, number>> {
  const rows = yield* all<{ task: TaskId; epoch: number; seq: number }>(
    `SELECT task, epoch, max(seq) AS seq FROM output WHERE task IN (?) GROUP BY task, epoch`,
    ids,
  );
  return new Map(rows.map(({ task, epoch, seq }) => [`${task} ${epoch}`, seq]));
}

/** The row of the lock that a deployment holds while it has tasks is what they queue for; drivers seldom need it. */
function* takeTurns({ dialect }: Scope, tasks: readonly TaskId[]): Operation<void> {
  if (!dialect.manyWriters) return;
  const rows = yield* all<{ deployment: DeploymentId }>(
    `SELECT DISTINCT deployment FROM tasks WHERE id IN (?)`,
    tasks,
  );
  for (const deployment of rows.map((row) => row.deployment).toSorted()) {
    yield* all(`SELECT 1 FROM locks WHERE deployment = ? ${dialect.forUpdate}`, deployment);
  }
}
