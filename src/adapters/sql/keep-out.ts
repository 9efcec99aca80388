import { type KeptMember, memberKey } from '../../domain/capacity.ts';
import type { WorkerId } from '../../domain/ids.ts';
import { poolTopic } from '../../domain/topics.ts';
import type { Keeping, Kept } from '../../ports/task-board.ts';
import { IN_FLIGHT_MS, QUARANTINE_MS } from './claim.ts';
import { parse } from './json.ts';
import { all, each, type Operation, type Row as Params, type Scope } from './operation.ts';

/**
 * A hold as far as it is kept out of service. `keeper` may write to the member until `keeper_until`, by what it was told in its
 * call `keeper_no`; until `silent_until` a write of an earlier one that went silent may still arrive (M6).
 */
type Row = {
  readonly balancer: string;
  readonly pool: string;
  readonly member: string;
  readonly keep_as: KeptMember['as'] | null;
  readonly reach: string;
  readonly keeper: WorkerId | null;
  readonly keeper_no: number;
  readonly keeper_until: number;
  readonly silent_until: number;
};

/** `TaskBoard.keepOut`. Nothing is written while all is as it was and half of the lease is left. */
export function* keepOut(scope: Scope, request: Keeping): Operation<Kept> {
  const rows = yield* all<Row>(
    `SELECT balancer, pool, member, keep_as, reach, keeper, keeper_no, keeper_until, silent_until
     FROM holds WHERE worker_pool = ? AND (keep_as IS NOT NULL OR keeper = ? OR keeper IN (?)) ${scope.dialect.forUpdate}`,
    request.pool,
    request.worker,
    request.gone,
  );
  const asked = { ...request, now: scope.now, keys: new Set(request.keeping.map(memberKey)) };
  const unanswered = new Set(request.unanswered.map(memberKey));
  const isLate = (row: Row): boolean => row.keeper === request.worker && unanswered.has(memberKey(row));
  yield* silence(scope, rows.filter(isLate));
  const told = rows.map((row) => (isLate(row) ? { ...row, silent_until: quarantined(scope, row) } : row));
  const turns = told.map((row) => ({ row, turn: turnOf(asked, row) }));
  const of = (turn: Turn) => turns.flatMap((one) => (one.turn === turn ? [one.row] : []));
  const [taken, kept, freed] = [of('take'), of('keep'), of('free')];
  yield* each(
    `UPDATE holds SET keeper = ?, keeper_no = ?, keeper_until = ?, silent_until = ?
     WHERE balancer = ? AND pool = ? AND member = ?`,
    [
      ...taken.map((row) => takenBy(scope, request, row)),
      ...freed.map((row) => freeFrom(scope, request, row)),
    ],
  );
  if (freed.length > 0) scope.ring(poolTopic(request.pool));
  const left = kept.map(({ keeper_until }) => keeper_until - scope.now);
  return { members: [...taken, ...kept].map(toMember), leaseMs: Math.min(request.leaseMs, ...left) };
}

/** What a keeper gave up when its lease ran out may arrive as late as what one writes that goes silent. */
const quarantined = ({ now }: Scope, row: Row): number => Math.max(row.silent_until, now + QUARANTINE_MS);

const silence = (scope: Scope, rows: readonly Row[]): Operation<number> =>
  each(
    'UPDATE holds SET silent_until = ? WHERE balancer = ? AND pool = ? AND member = ?',
    rows.map((row) => [quarantined(scope, row), ...keyOf(row)]),
  );

type Asked = Keeping & { readonly now: number; readonly keys: ReadonlySet<string> };
type Turn = 'take' | 'keep' | 'free' | 'leave';

/** A late copy of a call knows less than what its worker was told since. */
function turnOf({ now, worker, more, gone, no, leaseMs, keys }: Asked, row: Row): Turn {
  const isWanted = more && row.keep_as !== null;
  if (row.keeper !== worker) {
    const isGone = row.keeper !== null && gone.includes(row.keeper);
    if (!isWanted) return isGone ? 'free' : 'leave';
    return isGone || row.keeper === null || row.keeper_until <= now ? 'take' : 'leave';
  }
  if (no <= row.keeper_no) return 'leave';
  const isKept = keys.has(memberKey(row));
  if (isWanted) return isKept && row.keeper_until - now > leaseMs / 2 ? 'keep' : 'take';
  return isKept ? 'leave' : 'free';
}

const takenBy = (scope: Scope, request: Keeping, row: Row): Params => {
  const { worker, no, leaseMs } = request;
  return [worker, no, scope.now + leaseMs, silentUntil(scope, request, row), ...keyOf(row)];
};

const freeFrom = (scope: Scope, request: Keeping, row: Row): Params => [
  null,
  request.no,
  0,
  silentUntil(scope, request, row),
  ...keyOf(row),
];

/**
 * What an earlier keeper wrote may still be under way: of one whose lease has run out without proof of death for as long as of
 * any worker, of one that is proven gone for a moment.
 */
function silentUntil({ now }: Scope, { worker, gone }: Keeping, row: Row): number {
  if (row.keeper === null || row.keeper === worker) return row.silent_until;
  if (gone.includes(row.keeper)) return Math.max(row.silent_until, now + IN_FLIGHT_MS);
  return row.keeper_until + QUARANTINE_MS;
}

const keyOf = ({ balancer, pool, member }: Row): Params => [balancer, pool, member];

const toMember = ({ balancer, pool, member, keep_as, reach }: Row): KeptMember => ({
  balancer,
  pool,
  member,
  as: keep_as ?? 'drained',
  reach: parse(reach),
});
