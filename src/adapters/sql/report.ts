import type { DeploymentId, WorkerId } from '../../domain/ids.ts';
import { DRIVER_TOPIC } from '../../domain/topics.ts';
import { type HeldRow, heldBy } from './held.ts';
import { reportedText, reportsRowId, type Wait } from './inbox.ts';
import { each, insert, type Operation, type Row, run, type Scope } from './operation.ts';
import type { PackedReport } from './packed.ts';
import { CANCEL } from './tasks.ts';

type Waiting = { readonly row: HeldRow; readonly wait: Wait };
/** With the report as the inbox keeps it. */
type Ended = { readonly row: HeldRow; readonly text: string };

/**
 * `TaskBoard.report`. A report counts once, for the claim it was made under: what comes late, twice or from an older
 * epoch finds no such claim and is absorbed.
 */
export function* report(scope: Scope, worker: WorkerId, reports: readonly PackedReport[]): Operation<void> {
  const held = yield* heldBy(
    scope,
    worker,
    reports.map(([task, epoch]) => ({ task, epoch })),
  );
  const waits: Waiting[] = [];
  const ends: Ended[] = [];
  for (const [task, epoch, ended, wait] of lastOfEach(reports)) {
    const row = held.get(task);
    if (row?.epoch !== epoch) continue;
    if (wait !== null) waits.push({ row, wait });
    if (ended !== null) ends.push({ row, text: ended });
  }
  yield* setWaiting(scope, waits);
  yield* toInbox(scope, worker, ends);
}

/** One of a task, were a caller to repeat itself within one call. */
const lastOfEach = (reports: readonly PackedReport[]): Iterable<PackedReport> =>
  new Map(reports.map((one) => [`${one[0]} ${one[1]}`, one])).values();

/** The lease ends and the task waits; at once, if a cancel came that its worker was not told of. */
function* setWaiting(scope: Scope, waits: readonly Waiting[]): Operation<void> {
  yield* each(
    `UPDATE tasks SET state = 'waiting', owner = NULL, checkpoint = ?, wake_at = ?, due_at = ?,
       progress = COALESCE(?, progress) WHERE n = ?`,
    waits.map(({ row, wait }) => {
      const wakeAt = scope.now + wait.wakeAfterMs;
      const dueAt = row.cancel === CANCEL.asked ? 0 : wakeAt;
      return [JSON.stringify(wait.checkpoint), wakeAt, dueAt, wait.progress ?? null, row.n];
    }),
  );
}

/** The engine's turn: no worker may claim the task until the engine arms it again. */
function* toInbox(scope: Scope, worker: WorkerId, ends: readonly Ended[]): Operation<void> {
  if (ends.length === 0) return;
  yield* run(
    `UPDATE tasks SET state = 'reported', owner = NULL, due_at = NULL WHERE n IN (?)`,
    ends.map(({ row }) => row.n),
  );
  yield* insert(
    { into: 'INSERT INTO inbox (deployment, id, body)', row: '(?, ?, ?)' },
    [...Map.groupBy(ends, ({ row }) => row.deployment)].map(([id, of]) => inboxRow(id, worker, of)),
  );
  scope.ring(DRIVER_TOPIC);
}

/** All that came of one deployment is one row: each by itself would cost more than its task's row. */
const inboxRow = (deployment: DeploymentId, worker: WorkerId, ends: readonly Ended[]): Row => [
  deployment,
  reportsRowId(ends.map(({ row }) => row)),
  reportedText(
    worker,
    ends.map(({ text }) => text),
  ),
];
