import { EdgeError } from '../../domain/errors.ts';
import type { Bell } from '../../ports/bell.ts';
import type { Clock } from '../../ports/clock.ts';
import { type Call, isRead } from '../sql/operations.ts';
import { type Store, storePorts } from '../sql/ports.ts';
import { type Endpoint, MysqlConnection } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import { migrateDatabase, PATIENCE_S } from './migrate.ts';
import { CommitUnknown, isConflict, isLost, toEdgeError } from './mysql-error.ts';
import { type Isolation, SILENT_S } from './session.ts';
import { type Done, transact } from './transaction.ts';

export type MysqlStoreOptions = {
  /** Asked before each new connection, so that a new password counts from then on. */
  readonly endpoint: () => Promise<Endpoint>;
  readonly bell: Bell;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  /** From 0 to 1, for the waits between tries. */
  readonly random: () => number;
  /** How often one who waits for work looks by himself: for due times, and for what other processes commit. */
  readonly pollMs?: number;
  /** A call is answered or refused within this time. */
  readonly callTimeoutMs?: number;
  /** The store's time, ms since the epoch. Left out: that of the database server, read in the transaction. */
  readonly now?: () => number;
};

/** Connections by kind: what one kind does keeps nobody of another waiting (contract C3). */
const LIMITS = { writes: 8, reads: 4, views: 2 } as const;

/** Waits before the second, third, … run of a transaction that met others; each is drawn between 0 and this. */
const BACKOFF_MS: readonly number[] = [5, 10, 20, 40, 80, 160, 320, 640];

/**
 * The store in MariaDB 10.6 or MySQL 8, or newer, one server that takes writes. Each call is a transaction of its own; many at
 * once share the server's durable writes. One that met others is run again from the start; one whose COMMIT was not answered is
 * `store_unavailable`, and may have been done: all operations may be asked again. Rejects with `settings_invalid`,
 * `store_version` or `store_unavailable`.
 */
export async function openMysqlStore(options: MysqlStoreOptions): Promise<Store> {
  const { bell, clock, pollMs = 250, callTimeoutMs = 20_000, now } = options;
  const { host, port } = await options.endpoint();
  const place = `${host}:${port}`;
  const poolOf = (limit: number, isolation: Isolation): ConnectionPool =>
    new ConnectionPool({
      limit,
      open: async (signal) => MysqlConnection.open(await options.endpoint(), { isolation, signal }),
      idleMs: (SILENT_S * 1_000) / 2,
      monotonicMs: () => clock.monotonicMs(),
    });
  const pools = {
    writes: poolOf(LIMITS.writes, 'READ COMMITTED'),
    reads: poolOf(LIMITS.reads, 'REPEATABLE READ'),
    views: poolOf(LIMITS.views, 'REPEATABLE READ'),
  };
  const steady = steadyTime();
  const on = async <T>(pool: ConnectionPool, call: Call): Promise<T> => {
    const timed = now ? { ...call, now: now() } : call;
    const run = (signal: AbortSignal) => pool.use(signal, (one) => transact(one, timed, steady));
    const done = await untilDone(run, { ...options, callTimeoutMs, place });
    for (const topic of done.topics) bell.ring(topic);
    return done.value as T;
  };
  const close = async (): Promise<void> => {
    await Promise.all(Object.values(pools).map((pool) => pool.close()));
  };
  try {
    const signal = AbortSignal.timeout(PATIENCE_S * 1_000);
    await pools.writes.use(signal, (lock) => pools.writes.use(signal, (one) => migrateDatabase(lock, one)));
  } catch (error) {
    await close();
    throw toEdgeError(error, place);
  }
  return storePorts({
    call: (call) => on(isRead(call.name) ? pools.reads : pools.writes, call),
    view: (call) => on(pools.views, call),
    bell,
    pollMs,
    close,
  });
}

type Trying = Pick<MysqlStoreOptions, 'clock' | 'random'> & {
  readonly callTimeoutMs: number;
  readonly place: string;
};

/** Runs a transaction again as long as it is certain that nothing of it was done, others stood in its way, and there is time. */
async function untilDone(
  run: (signal: AbortSignal) => Promise<Done>,
  { clock, random, callTimeoutMs, place }: Trying,
): Promise<Done> {
  const signal = AbortSignal.timeout(callTimeoutMs);
  for (const waitMs of [...BACKOFF_MS, null]) {
    try {
      return await run(signal);
    } catch (error) {
      const isLate = signal.aborted && !(error instanceof CommitUnknown);
      if (isLate) throw late(place, error);
      if (waitMs === null || !isWorthAnother(error)) throw toEdgeError(error, place);
    }
    await clock.sleep(waitMs * random(), signal).catch(() => {
      throw late(place);
    });
  }
  throw late(place);
}

/** A connection that was lost before COMMIT was sent has done nothing: another one may be better. */
const isWorthAnother = (error: unknown): boolean =>
  !(error instanceof CommitUnknown || error instanceof EdgeError) && (isConflict(error) || isLost(error));

const late = (place: string, cause?: unknown): EdgeError =>
  new EdgeError('store_unavailable', `The state store at ${place} did not answer in time.`, {
    ...(cause !== undefined && { cause }),
  });

/** When the server's clock is set back, time stands still until it has caught up, so that order is kept. */
function steadyTime(): (now: number) => number {
  let last = 0;
  return (now) => {
    last = Math.max(last, now);
    return last;
  };
}
