import type { AsFound, BalancerConfig, MemberState } from '../../domain/balancer.ts';
import { EdgeError } from '../../domain/errors.ts';
import { abortable } from '../../lib/abortable.ts';
import type { Backoff } from '../../lib/retry.ts';
import { createSerial, type Serial } from '../../lib/serial.ts';
import { SharedReads } from '../../lib/shared-reads.ts';
import { HttpClient } from '../../outbound/http.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LoadBalancer, MayWrite, PoolMember } from '../../ports/load-balancer.ts';
import { failureOf } from './failure.ts';
import { fullPath, segment } from './names.ts';
import { type ActiveUnit, F5Session } from './session.ts';
import { refuseUnsynced } from './sync.ts';
import { bodyOf } from './unit.ts';
import { createUpkeep, type Kept, type Upkeep, type UpkeepPolicy } from './upkeep.ts';
import {
  differing,
  hasTaken,
  memberState,
  parseMember,
  parsePool,
  parseStats,
  poolStates,
  type WireMember,
  WRITES,
  type Writable,
  writableFrom,
} from './wire.ts';

export type F5Config = Extract<BalancerConfig, { kind: 'f5' }>;

export type F5Options = {
  readonly config: F5Config;
  /** Resolves the config's password reference; called at each login. */
  readonly password: () => Promise<string>;
  readonly clock: Pick<Clock, 'sleep'>;
  /** The queue of the device's writes, shared by all who write to it. */
  readonly queue?: Serial;
  /** Of one call. A control plane under load takes seconds. */
  readonly timeoutMs?: number;
  /** Waits while the control plane starts or is busy; their sum is how long Edge is patient. */
  readonly backoffMs?: Backoff;
  /** Looks at the sync status, once a change is on its way to the peer. */
  readonly sync?: { readonly everyMs: number; readonly looks: number };
};

const TIMEOUT_MS = 15_000;
const BACKOFF_MS: Backoff = [250, 500, 1_000, 2_000, 4_000, 8_000];
const SYNC = { everyMs: 1_000, looks: 60 };
const WRITES_IN_A_FAILOVER = 3;
const POOLS = '/mgmt/tm/ltm/pool';

/** Member state of a BIG-IP through iControl REST (wire facts: INTEGRATIONS.md section 1). No call is made yet. */
export function createF5Balancer(options: F5Options): LoadBalancer {
  const { config, clock, password, timeoutMs = TIMEOUT_MS, backoffMs = BACKOFF_MS, sync = SYNC } = options;
  const { username, loginProvider, partition } = config;
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => clock.sleep(ms, signal);
  const units = [
    unitAt(config.url, config.tls, sleep),
    ...(config.peer === undefined ? [] : [unitAt(config.peer, config.peerTls ?? config.tls, sleep)]),
  ];
  const session = new F5Session({ units, username, loginProvider, password, backoffMs, timeoutMs, sleep });
  const policy = {
    sync: config.sync ?? 'auto',
    save: config.save ?? 'off',
    poll: { ...sync, sleep },
  } as const;
  return new F5Balancer(session, { partition, policy, queue: options.queue ?? createSerial() });
}

function unitAt(url: string, trust: F5Config['tls'], sleep: Clock['sleep']) {
  const { origin } = new URL(url);
  // The control plane works through one request at a time: more connections only queue there.
  return { origin, http: new HttpClient({ trust, sleep, origins: [origin], connections: 2 }) };
}

type Change = {
  readonly member: PoolMember;
  readonly wanted: Writable;
  /** What was found, when it is restored; left out: the member is taken out. */
  readonly asFound?: AsFound;
  readonly mayWrite: MayWrite;
};

type Written = { readonly origin: string; readonly wire: WireMember; readonly note: string | undefined };

type Settings = { readonly partition: string; readonly policy: UpkeepPolicy; readonly queue: Serial };

class F5Balancer implements LoadBalancer {
  readonly #session: F5Session;
  readonly #partition: string;
  readonly #policy: UpkeepPolicy;
  readonly #closing = new AbortController();
  readonly #write: Serial;
  readonly #upkeep: Upkeep;
  readonly #reads = new SharedReads<readonly MemberState[]>();

  constructor(session: F5Session, { partition, policy, queue }: Settings) {
    this.#session = session;
    this.#partition = partition;
    this.#policy = policy;
    this.#write = queue;
    this.#upkeep = createUpkeep({ session, policy, serial: queue, signal: this.#closing.signal });
  }

  async members(pool: string, signal: AbortSignal): Promise<readonly MemberState[]> {
    const begin = () => this.#session.run((unit) => this.#read(unit, pool), this.#closing.signal);
    return this.#reads.read(pool, begin, signal);
  }

  disable(
    member: PoolMember,
    to: 'drained' | 'offline',
    signal: AbortSignal,
    mayWrite: MayWrite = () => undefined,
  ): Promise<MemberState> {
    return this.#set({ member, wanted: WRITES[to], mayWrite }, signal);
  }

  restore(
    member: PoolMember,
    asFound: AsFound,
    signal: AbortSignal,
    mayWrite: MayWrite = () => undefined,
  ): Promise<MemberState> {
    return this.#set({ member, wanted: writableFrom(asFound), asFound, mayWrite }, signal);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the balancer is closed'));
    await this.#session.close();
  }

  /**
   * Configuration first, statistics after: a member seen as drained had no new connection when they were counted. A unit
   * that has turned standby meanwhile counts no connections at all, so that it is asked once more what it is.
   */
  async #read(unit: ActiveUnit, pool: string): Promise<readonly MemberState[]> {
    const path = `${POOLS}/${segment(fullPath(pool, this.#partition))}`;
    const ask = `${path}?expandSubcollections=true`;
    const what = `members of ${pool}`;
    const seen = parsePool(bodyOf(await unit.call({ method: 'GET', path: ask }), what));
    if (!seen) throw new EdgeError('balancer_refused', `${what}: the answer is not a pool with its members`);
    const stats = await unit.call({ method: 'GET', path: `${path}/members/stats` });
    const states = poolStates(seen, this.#partition, parseStats(bodyOf(stats, `statistics of ${pool}`)));
    await unit.confirm();
    return states.map((state) => withNote(state, this.#upkeep.noteOf(unit, state)));
  }

  /**
   * Writes, reads back, and sees to it that the change lasts. One writer per device, and what was read before a write is not
   * shared with those who ask after it. A change that was made on a unit which is not active any more is made again.
   */
  async #set(change: Change, signal: AbortSignal): Promise<MemberState> {
    for (let turn = 0; turn < WRITES_IN_A_FAILOVER; turn += 1) {
      const { written, keeping } = await this.#write(() => this.#writeOne(change, signal));
      const kept = await abortable(keeping, signal);
      if (kept.origin !== written.origin) continue;
      return withNote(memberState(written.wire, this.#partition), written.note ?? kept.note);
    }
    const { pool, member } = change.member;
    throw new EdgeError(
      'balancer_unreachable',
      `${member} in ${pool}: the active unit changed at each write`,
    );
  }

  /** Upkeep is asked for in the same turn: so it comes behind all writes that wait, and each of them shares it. */
  async #writeOne(
    change: Change,
    signal: AbortSignal,
  ): Promise<{ written: Written; keeping: Promise<Kept> }> {
    signal.throwIfAborted();
    try {
      const written = await this.#session.run((unit) => this.#writeOn(unit, change), signal);
      return { written, keeping: this.#upkeep.keep() };
    } finally {
      this.#reads.forget();
    }
  }

  async #writeOn(unit: ActiveUnit, change: Change): Promise<Written> {
    await unit.confirm();
    const begins = !change.asFound && !this.#upkeep.isDue();
    if (begins && this.#policy.sync === 'auto') await refuseUnsynced(unit);
    const wire = await this.#patch(unit, change);
    const more = change.asFound ? differing(wire, change.asFound) : {};
    const isWhole = Object.keys(more).length === 0;
    const note = isWhole ? undefined : await this.#patchMore(unit, change, more);
    await unit.confirm();
    return { origin: unit.origin, wire: isWhole ? wire : await this.#readOne(unit, change.member), note };
  }

  /** A write without an answer may have been applied: the read-back decides. */
  async #patch(unit: ActiveUnit, { member, wanted, mayWrite }: Change): Promise<WireMember> {
    const what = `${member.member} in ${member.pool}`;
    const path = this.#pathOf(member);
    const seen = await unit.call({ method: 'PATCH', path, body: wanted, before: mayWrite });
    if (seen.kind === 'answer') bodyOf(seen, what);
    const after = await this.#readOne(unit, member);
    if (hasTaken(after, wanted)) return after;
    if (seen.kind === 'nothing') throw failureOf(seen, what);
    throw new EdgeError(
      'balancer_refused',
      `${what}: the device said yes and kept ${after.session}, ${after.state}`,
    );
  }

  /** What Edge never writes, and somebody changed meanwhile. An account that may not undo that says so, and goes on. */
  async #patchMore(
    unit: ActiveUnit,
    { member, mayWrite }: Change,
    body: Readonly<Record<string, number>>,
  ): Promise<string | undefined> {
    const path = this.#pathOf(member);
    try {
      const seen = await unit.call({ method: 'PATCH', path, body, before: mayWrite });
      bodyOf(seen, `${member.member} in ${member.pool}`);
      return undefined;
    } catch (error) {
      if (!(error instanceof EdgeError) || error.code !== 'balancer_refused') throw error;
      const found = Object.entries(body).map(([name, value]) => `${name} ${value}`);
      return `found with ${found.join(' and ')}, which the account may not set`;
    }
  }

  async #readOne(unit: ActiveUnit, member: PoolMember): Promise<WireMember> {
    const what = `${member.member} in ${member.pool}`;
    const seen = await unit.call({ method: 'GET', path: this.#pathOf(member) });
    const wire = parseMember(bodyOf(seen, what));
    if (!wire) throw new EdgeError('balancer_member_unknown', `${what}: the device shows no such member`);
    return wire;
  }

  #pathOf({ pool, member }: PoolMember): string {
    const [poolPath, memberPath] = [fullPath(pool, this.#partition), fullPath(member, this.#partition)];
    return `${POOLS}/${segment(poolPath)}/members/${segment(memberPath)}`;
  }
}

function withNote(state: MemberState, note: string | undefined): MemberState {
  if (note === undefined) return state;
  return { ...state, note: state.note === undefined ? note : `${state.note}; ${note}` };
}
