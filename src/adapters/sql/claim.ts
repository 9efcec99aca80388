import type { DeploymentId, TaskId, WorkerId } from '../../domain/ids.ts';
import type { Claim } from '../../ports/task-board.ts';
import type { Dialect } from './dialect.ts';
import { all, each, type Operation, run, type Scope } from './operation.ts';
import type { PackedClaim } from './packed.ts';
import { CANCEL } from './tasks.ts';

/**
 * How long a write of an owner that went silent without proof of death may still be under way: the deadline of one call
 * to a balancer and a long pause of its process (M6, contract C9). Counted from the end of its lease.
 */
export const QUARANTINE_MS = 60_000;

type Row = {
  readonly n: number;
  readonly id: TaskId;
  readonly deployment: DeploymentId;
  readonly target: string;
  readonly step: string;
  readonly action: string;
  readonly inputs: string;
  readonly state: 'ready' | 'waiting' | 'claimed';
  readonly due_at: number;
  readonly deadline_at: number;
  readonly owner: WorkerId | null;
  readonly epoch: number;
  readonly attempt: number;
  readonly quarantine_until: number;
  readonly cancel: number;
  readonly checkpoint: string | null;
};

const selectSql = ({
  alongIndex,
}: Dialect): string => `SELECT n, id, deployment, target, step, action, inputs, state, due_at, deadline_at, owner, epoch, attempt,
  quarantine_until, cancel, checkpoint FROM tasks ${alongIndex('tasks_due')} WHERE pool = ?`;

/** `TaskBoard.claim`. What proven-dead owners left comes first, then what is due longest. */
export function* claim(scope: Scope, request: Claim): Operation<readonly PackedClaim[]> {
  const left = yield* leftBehind(scope, request);
  const late = yield* due(scope, request, request.max - left.length);
  const rows = [...left, ...late];
  if (rows.length === 0) return [];
  yield* quarantine(late, request.gone);
  yield* run(
    `UPDATE tasks SET epoch = epoch + 1, attempt = attempt + CASE state WHEN 'waiting' THEN 0 ELSE 1 END,
       cancel = CASE cancel WHEN ${CANCEL.none} THEN cancel ELSE ${CANCEL.told} END,
       state = 'claimed', owner = ?, lease_ms = ?, due_at = ? WHERE n IN (?)`,
    request.worker,
    request.leaseMs,
    scope.now + request.leaseMs,
    rows.map(({ n }) => n),
  );
  return [
    ...left.map((row) => toClaimed(scope.now, row, row.quarantine_until)),
    ...late.map((row) => toClaimed(scope.now, row, quarantineEnd(row, request.gone))),
  ];
}

/** Ready or waiting long enough, or owned by one whose lease has run out. */
function* due(scope: Scope, request: Claim, limit: number): Operation<readonly Row[]> {
  const { forUpdateOfFree } = scope.dialect;
  return yield* all<Row>(
    `${selectSql(scope.dialect)} AND due_at <= ? AND action IN (?) ORDER BY due_at, n LIMIT ? ${forUpdateOfFree}`,
    request.pool,
    scope.now,
    request.capabilities,
    limit,
  );
}

/** Under a lease that would still last, were its owner not gone (contract C9), or had its owner ever heard of it. */
function* leftBehind(scope: Scope, request: Claim): Operation<readonly Row[]> {
  const { worker, gone, held } = request;
  if (gone.length === 0 && held === undefined) return [];
  const { forUpdateOfFree } = scope.dialect;
  return yield* all<Row>(
    `${selectSql(scope.dialect)} AND due_at > ? AND state = 'claimed' AND (owner IN (?) OR (owner = ? AND NOT id IN (?)))
     AND action IN (?) ORDER BY due_at, n LIMIT ? ${forUpdateOfFree}`,
    request.pool,
    scope.now,
    gone,
    held === undefined ? '' : worker,
    held ?? [],
    request.capabilities,
    request.max,
  );
}

/** Owned by one whose lease ran out without proof that it is gone. */
const wentSilent = (row: Row, gone: readonly WorkerId[]): boolean =>
  row.state === 'claimed' && row.owner !== null && !gone.includes(row.owner);

/** The end of the quarantine is kept with the task: the proven death of the next owner does not shorten it. */
const quarantineEnd = (row: Row, gone: readonly WorkerId[]): number =>
  wentSilent(row, gone) ? row.due_at + QUARANTINE_MS : row.quarantine_until;

function* quarantine(rows: readonly Row[], gone: readonly WorkerId[]): Operation<void> {
  yield* each(
    'UPDATE tasks SET quarantine_until = ? WHERE n = ?',
    rows.filter((row) => wentSilent(row, gone)).map((row) => [quarantineEnd(row, gone), row.n]),
  );
}

/** The row under its new owner, as `claim` has just written it. To go on after a `wait` is the same attempt. */
const toClaimed = (now: number, row: Row, quarantineUntil: number): PackedClaim => ({
  task: row.id,
  deployment: row.deployment,
  target: row.target,
  step: row.step,
  action: row.action,
  inputs: row.inputs,
  epoch: row.epoch + 1,
  attempt: row.state === 'waiting' ? row.attempt : row.attempt + 1,
  checkpoint: row.checkpoint,
  cancel: row.cancel !== CANCEL.none,
  quarantineMs: Math.max(0, quarantineUntil - now),
  remainingMs: Math.max(0, row.deadline_at - now),
});
