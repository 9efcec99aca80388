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

/**
 * How long a request that a process had sent when it died may take to arrive: proof of its death says nothing of what was on
 * its way. A command on a host is fenced and goes on at once.
 */
export const IN_FLIGHT_MS = 2_000;

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
  const until = quarantineOf(scope.now, request.gone);
  yield* quarantine(rows, until);
  yield* run(
    `UPDATE tasks SET epoch = epoch + 1, attempt = attempt + CASE state WHEN 'waiting' THEN 0 ELSE 1 END,
       cancel = CASE cancel WHEN ${CANCEL.none} THEN cancel ELSE ${CANCEL.told} END,
       state = 'claimed', owner = ?, lease_ms = ?, due_at = ?, checkpoint_no = 0 WHERE n IN (?)`,
    request.worker,
    request.leaseMs,
    scope.now + request.leaseMs,
    rows.map(({ n }) => n),
  );
  return rows.map((row) => toClaimed(scope.now, row, until(row)));
}

/**
 * A worker that keeps members of the target out of service has not yet let go of them for their return, or went silent and may
 * still write to them. It may have the task itself: within it the one follows on the other.
 */
const KEPT_BY_ANOTHER = `EXISTS (SELECT 1 FROM holds h WHERE h.deployment = tasks.deployment AND h.target = tasks.target
  AND h.keep_as IS NULL AND (h.silent_until > ? OR (h.keeper <> ? AND h.keeper_until > ?)))`;

const keptByAnother = ({ now }: Scope, { worker }: Claim) => [now, worker, now - QUARANTINE_MS] as const;

/** Ready or waiting long enough, or owned by one whose lease has run out. */
function* due(scope: Scope, request: Claim, limit: number): Operation<readonly Row[]> {
  const { forUpdateOfFree } = scope.dialect;
  return yield* all<Row>(
    `${selectSql(scope.dialect)} AND due_at <= ? AND action IN (?) AND NOT ${KEPT_BY_ANOTHER}
     ORDER BY due_at, n LIMIT ? ${forUpdateOfFree}`,
    request.pool,
    scope.now,
    request.capabilities,
    ...keptByAnother(scope, request),
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
     AND action IN (?) AND NOT ${KEPT_BY_ANOTHER} ORDER BY due_at, n LIMIT ? ${forUpdateOfFree}`,
    request.pool,
    scope.now,
    gone,
    held === undefined ? '' : worker,
    held ?? [],
    request.capabilities,
    ...keptByAnother(scope, request),
    request.max,
  );
}

/** When nothing of earlier owners can arrive any more. Kept with the task: the proven death of the next owner does not shorten it. */
const quarantineOf =
  (now: number, gone: readonly WorkerId[]) =>
  ({ state, owner, due_at, quarantine_until }: Row): number => {
    if (state !== 'claimed' || owner === null) return quarantine_until;
    if (gone.includes(owner)) return Math.max(quarantine_until, now + IN_FLIGHT_MS);
    // Its lease ran out; or, of a claim whose answer was lost, it never heard of the task.
    return due_at <= now ? due_at + QUARANTINE_MS : quarantine_until;
  };

function* quarantine(rows: readonly Row[], until: (row: Row) => number): Operation<void> {
  yield* each(
    'UPDATE tasks SET quarantine_until = ? WHERE n = ?',
    rows.filter((row) => until(row) !== row.quarantine_until).map((row) => [until(row), row.n]),
  );
}

/** The row under its new owner, as `claim` has just written it. To go on after a `wait` is the same attempt. */
const toClaimed = (now: number, row: Row, quarantineUntil: number): PackedClaim => [
  row.id,
  row.deployment,
  row.target,
  row.step,
  row.action,
  row.inputs,
  row.epoch + 1,
  row.state === 'waiting' ? row.attempt : row.attempt + 1,
  row.checkpoint,
  row.cancel !== CANCEL.none,
  Math.max(0, quarantineUntil - now),
  Math.max(0, row.deadline_at - now),
];
