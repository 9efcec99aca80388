import type { BalancerConfig, MemberRef } from '../domain/balancer.ts';
import { type KeptMember, memberKey } from '../domain/capacity.ts';
import { asEdgeError } from '../domain/errors.ts';
import { isRetryable } from './batcher.ts';
import { orAborted } from './held-task.ts';
import type { WorkerPorts, WorkerSettings } from './settings.ts';
import { Wake } from './wake.ts';

/** Bells may ring often; the board is asked at most this often. */
const ASK_GAP_MS = 250;

const RUN_OUT = 'the lease on the member has run out';

/** `sinceMs`: when the answer that named it was asked for; monotonic. */
type Entry = KeptMember & { readonly sinceMs: number };

/**
 * Keeps members out of service (contract C10): looks at those that the board names, and drains again what its balancer forgot.
 * It acts under a lease, on nothing but what the newest answer named, and on no member whose return has begun. One look at a
 * time for each device, whatever it costs the device to answer.
 */
export class Keeper {
  readonly #settings: WorkerSettings;
  readonly #ports: WorkerPorts;
  readonly #soon = new Wake();
  readonly #patrols = new Map<string, Promise<void>>();
  readonly #writing = new Map<string, Entry>();
  /** Writes that the end of the lease cut off, and of which the board has not heard yet. */
  readonly #unanswered = new Map<string, Entry>();
  #entries: ReadonlyMap<string, Entry> = new Map();
  #leaseEndsAtMs = 0;
  #no = 0;
  /** Devices, and the board as `''`, whose last answer was none. */
  readonly #hindered = new Set<string>();

  constructor(settings: WorkerSettings, ports: WorkerPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  /** Works until `stop` is aborted, then hands back all that it keeps. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const { askMs } = this.#settings.keeping;
    while (!stop.aborted) {
      const isFreed = await orAborted(this.#ask(true, stop), stop).catch(() => false);
      if (isFreed) continue;
      await clock.sleep(ASK_GAP_MS, stop).catch(() => undefined);
      await this.#soon.pause(askMs - ASK_GAP_MS, clock, stop);
    }
    this.#entries = new Map();
    await this.#within(this.#settings.stopMs, Promise.all(this.#patrols.values()));
    await this.#within(this.#settings.stopMs, this.#ask(false, stop));
  }

  /** Asks the board before the next time is due. */
  askSoon(): void {
    this.#soon.wake();
  }

  /** Whether there is something new to tell: it no longer writes to what it wrote to when it asked. */
  async #ask(more: boolean, stop: AbortSignal): Promise<boolean> {
    const { board, clock } = this.#ports;
    const { worker, pool, leaseMs, gone } = this.#settings;
    this.#no += 1;
    const asked = new Map([...this.#current(), ...this.#writing]);
    const cutOff = new Map(this.#unanswered);
    const sinceMs = clock.monotonicMs();
    try {
      const told = { keeping: refsOf(asked), unanswered: refsOf(cutOff) };
      const kept = await board.keepOut({ worker, pool, leaseMs, gone, no: this.#no, ...told, more });
      for (const [key, entry] of cutOff)
        if (this.#unanswered.get(key) === entry) this.#unanswered.delete(key);
      if (stop.aborted) return false;
      this.#leaseEndsAtMs = sinceMs + kept.leaseMs;
      this.#entries = new Map(kept.members.map((member) => [memberKey(member), { ...member, sinceMs }]));
      this.#hindered.delete('');
    } catch (thrown) {
      // A board that is silent is told of by who claims.
      if (!isRetryable(thrown)) this.#tell('', thrown);
      return false;
    }
    for (const { reach } of this.#entries.values()) this.#patrolOn(reach, stop);
    return [...asked.keys()].some((key) => !this.#entries.has(key) && !this.#writing.has(key));
  }

  /** What it may write to now: nothing more once its lease has run out, by this process's own clock. */
  #current(): ReadonlyMap<string, Entry> {
    return this.#ports.clock.monotonicMs() < this.#leaseEndsAtMs ? this.#entries : new Map();
  }

  #requireLease(): void {
    if (this.#ports.clock.monotonicMs() >= this.#leaseEndsAtMs) throw new Error(RUN_OUT);
  }

  #patrolOn(reach: BalancerConfig, stop: AbortSignal): void {
    const device = JSON.stringify(reach);
    if (this.#patrols.has(device)) return;
    const patrol = this.#patrol(device, stop).finally(() => this.#patrols.delete(device));
    this.#patrols.set(device, patrol);
  }

  /** Looks at the pools of a device in turn, for as long as one of their members is kept. */
  async #patrol(device: string, stop: AbortSignal): Promise<void> {
    for (
      let pools = this.#poolsOf(device);
      !stop.aborted && pools.length > 0;
      pools = this.#poolsOf(device)
    ) {
      for (const members of pools) {
        await this.#look(device, members, stop);
        const pauseMs = pauseAfterLook(members[0]?.reach, pools.length, this.#settings.keeping);
        await this.#ports.clock.sleep(pauseMs, stop).catch(() => undefined);
      }
    }
  }

  #poolsOf(device: string): readonly (readonly Entry[])[] {
    const members = [...this.#current().values()].filter(({ reach }) => JSON.stringify(reach) === device);
    return [...Map.groupBy(members, ({ pool }) => pool).values()];
  }

  async #look(device: string, members: readonly Entry[], stop: AbortSignal): Promise<void> {
    const [first] = members;
    if (first === undefined) return;
    try {
      const balancer = await this.#ports.balancer(first.reach);
      const seen = await balancer.members(first.pool, stop);
      const back = new Set(seen.flatMap(({ admin, member }) => (admin === 'enabled' ? [member] : [])));
      for (const entry of members) if (back.has(entry.member)) await this.#takeOut(memberKey(entry));
      this.#hindered.delete(device);
    } catch (thrown) {
      if (!stop.aborted) this.#tell(device, thrown);
    }
  }

  /** As the newest answer has it: one that it does not name is about to be returned, or another's. */
  async #takeOut(key: string): Promise<void> {
    const entry = this.#current().get(key);
    if (!entry) return;
    const [lost, done] = [new AbortController(), new AbortController()];
    this.#writing.set(key, entry);
    this.#leaseEnd(done.signal).then(
      () => lost.abort(new Error(RUN_OUT)),
      () => undefined,
    );
    try {
      const device = await this.#ports.balancer(entry.reach);
      const isOut = await device.keepOut(entry, entry.sinceMs, lost.signal, () => this.#requireLease());
      if (isOut) this.#ports.notice({ kind: 'member.kept-out', member: refOf(entry) });
    } finally {
      done.abort();
      if (lost.signal.aborted) this.#unanswered.set(key, entry);
      this.#writing.delete(key);
      if (!this.#entries.has(key)) this.askSoon();
    }
  }

  /** Resolves when the lease has run out, however often it is prolonged meanwhile. */
  async #leaseEnd(done: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    for (;;) {
      const leftMs = this.#leaseEndsAtMs - clock.monotonicMs();
      if (leftMs <= 0) return;
      await clock.sleep(leftMs, done);
    }
  }

  /** Once, until it answers again. */
  #tell(device: string, thrown: unknown): void {
    if (!this.#hindered.has(device))
      this.#ports.notice({ kind: 'keeping.hindered', error: asEdgeError(thrown) });
    this.#hindered.add(device);
  }

  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    const limit = this.#ports.clock.sleep(ms, over.signal).catch(() => undefined);
    await Promise.race([work.catch(() => undefined), limit]);
    over.abort();
  }
}

const refsOf = (entries: ReadonlyMap<string, Entry>): readonly MemberRef[] =>
  [...entries.values()].map(refOf);
const refOf = ({ balancer, pool, member }: MemberRef): MemberRef => ({ balancer, pool, member });

/** At most one look a second at a device that answers slowly, and each pool of it at most once in its interval. */
function pauseAfterLook(
  reach: BalancerConfig | undefined,
  pools: number,
  { quickMs, slowMs }: WorkerSettings['keeping'],
): number {
  return reach?.kind === 'haproxy' ? quickMs / pools : Math.max(1_000, slowMs / pools);
}
