import type { AsFound, BalancerConfig, MemberState } from '../../domain/balancer.ts';
import { EdgeError } from '../../domain/errors.ts';
import { abortable } from '../../lib/abortable.ts';
import type { Backoff } from '../../lib/retry.ts';
import { createSerial, type Serial } from '../../lib/serial.ts';
import { HttpClient, type HttpResult } from '../../outbound/http.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LoadBalancer, PoolMember } from '../../ports/load-balancer.ts';
import { failureOf } from './failure.ts';
import { fullPath, nodeKey, segment } from './names.ts';
import { F5Session, jsonOf } from './session.ts';
import {
  hasTaken,
  memberState,
  parseConnections,
  parseMember,
  parseMembers,
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
  /** Of one call. A control plane under load takes seconds. */
  readonly timeoutMs?: number;
  /** Waits while the control plane starts or is busy; their sum is how long Edge is patient. */
  readonly backoffMs?: Backoff;
};

const TIMEOUT_MS = 15_000;
const BACKOFF_MS: Backoff = [250, 500, 1_000, 2_000, 4_000, 8_000];
const POOLS = '/mgmt/tm/ltm/pool';

/** Member state of a BIG-IP through iControl REST (wire facts: INTEGRATIONS.md section 1). No call is made yet. */
export function createF5Balancer(options: F5Options): LoadBalancer {
  const { config, clock, timeoutMs = TIMEOUT_MS, backoffMs = BACKOFF_MS } = options;
  const { origin } = new URL(config.url);
  const http = new HttpClient({
    trust: config.tls,
    sleep: (ms, signal) => clock.sleep(ms, signal),
    origins: [origin],
    // The control plane works through one request at a time: more connections only queue there.
    connections: 2,
  });
  const { username, loginProvider } = config;
  const session = new F5Session({
    http,
    origin,
    username,
    loginProvider,
    password: options.password,
    backoffMs,
    timeoutMs,
  });
  return new F5Balancer(session, config.partition);
}

class F5Balancer implements LoadBalancer {
  readonly #session: F5Session;
  readonly #partition: string;
  readonly #closing = new AbortController();
  readonly #write: Serial = createSerial();
  /** Reads under way, by pool: those who ask for the same pool at once share one. */
  readonly #reads = new Map<string, Promise<readonly MemberState[]>>();

  constructor(session: F5Session, partition: string) {
    this.#session = session;
    this.#partition = partition;
  }

  async members(pool: string, signal: AbortSignal): Promise<readonly MemberState[]> {
    signal.throwIfAborted();
    const known = this.#reads.get(pool);
    if (known) return abortable(known, signal);
    const reading = this.#read(pool).finally(() => {
      if (this.#reads.get(pool) === reading) this.#reads.delete(pool);
    });
    this.#reads.set(pool, reading);
    return abortable(reading, signal);
  }

  disable(member: PoolMember, to: 'drained' | 'offline', signal: AbortSignal): Promise<MemberState> {
    return this.#set(member, WRITES[to], signal);
  }

  restore(member: PoolMember, asFound: AsFound, signal: AbortSignal): Promise<MemberState> {
    return this.#set(member, writableFrom(asFound), signal);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the balancer is closed'));
    await this.#session.close();
  }

  /** Configuration first, statistics after: a member seen as drained had no new connection when they were counted. */
  async #read(pool: string): Promise<readonly MemberState[]> {
    const signal = this.#closing.signal;
    const path = `${POOLS}/${segment(fullPath(pool, this.#partition))}/members`;
    const what = `members of ${pool}`;
    const members = parseMembers(bodyOf(await this.#session.call({ method: 'GET', path }, signal), what));
    if (!members) throw new EdgeError('balancer_refused', `${what}: the answer is not a list of members`);
    const stats = bodyOf(
      await this.#session.call({ method: 'GET', path: `${path}/stats` }, signal),
      `statistics of ${pool}`,
    );
    const connections = parseConnections(stats);
    return members.map((wire) => memberState(wire, this.#partition, connections.get(nodeKey(wire.fullPath))));
  }

  /**
   * Writes, and reads back. A write without an answer may have been applied: the read-back decides. One writer per device,
   * and what was read before a write is not shared with those who ask after it.
   */
  #set(member: PoolMember, wanted: Writable, signal: AbortSignal): Promise<MemberState> {
    const work = async (): Promise<MemberState> => {
      signal.throwIfAborted();
      const what = `${member.member} in ${member.pool}`;
      const seen = await this.#session.call(
        { method: 'PATCH', path: this.#pathOf(member), body: wanted },
        signal,
      );
      if (seen.kind === 'answer') bodyOf(seen, what);
      const after = await this.#readOne(member, signal);
      if (hasTaken(after, wanted)) return memberState(after, this.#partition, undefined);
      if (seen.kind === 'nothing') throw failureOf(seen, what);
      throw new EdgeError(
        'balancer_refused',
        `${what}: the device said yes and kept ${after.session}, ${after.state}`,
      );
    };
    return this.#write(() => work().finally(() => this.#reads.clear()));
  }

  async #readOne(member: PoolMember, signal: AbortSignal): Promise<WireMember> {
    const what = `${member.member} in ${member.pool}`;
    const seen = await this.#session.call({ method: 'GET', path: this.#pathOf(member) }, signal);
    const wire = parseMember(bodyOf(seen, what));
    if (!wire) throw new EdgeError('balancer_member_unknown', `${what}: the device shows no such member`);
    return wire;
  }

  #pathOf({ pool, member }: PoolMember): string {
    const [poolPath, memberPath] = [fullPath(pool, this.#partition), fullPath(member, this.#partition)];
    return `${POOLS}/${segment(poolPath)}/members/${segment(memberPath)}`;
  }
}

/** The JSON of a 200. Throws what the answer is instead. */
function bodyOf(seen: HttpResult, what: string): unknown {
  if (seen.kind === 'nothing' || seen.status !== 200) throw failureOf(seen, what);
  return jsonOf(seen.body);
}
