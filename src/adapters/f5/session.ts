import { abortable } from '../../lib/abortable.ts';
import { type Backoff, retrying } from '../../lib/retry.ts';
import type { HttpClient, HttpResult } from '../../outbound/http.ts';
import { activeOf, isUnreachable, type Look, mayChange, notActive, type Seen } from './active.ts';
import { type Ask, F5Unit, UnitLeft, type UnitOptions } from './unit.ts';

export type SessionOptions = Omit<UnitOptions, 'origin' | 'http' | 'hasPeer'> & {
  /** The unit, or both units of a pair, each with its own trust. */
  readonly units: readonly Pick<UnitOptions, 'origin' | 'http'>[];
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
};

/** The unit that is active, for one piece of work. */
export type ActiveUnit = {
  /** Its own name in the group; empty if it does not say. */
  readonly self: string;
  readonly origin: string;
  readonly paired: boolean;
  /** It does not say what it is, nor whether it has a peer. */
  readonly mute: boolean;
  call(ask: Ask): Promise<HttpResult>;
  /** Rejects unless the unit is active still; then the work begins again on the other one. Costs a call, in a pair only. */
  confirm(): Promise<void>;
};

/** Finds the active unit, and sees to it that work is done there: looked for at each login, and followed when it moves. */
export class F5Session {
  readonly #units: readonly F5Unit[];
  readonly #clients: readonly HttpClient[];
  readonly #sleep: SessionOptions['sleep'];
  readonly #backoffMs: Backoff;
  readonly #closing = new AbortController();
  /** The search under way, or what it found; all work shares it. */
  #chosen: Promise<Seen> | undefined;

  constructor({ units, sleep, ...options }: SessionOptions) {
    const hasPeer = units.length > 1;
    this.#units = units.map((unit) => new F5Unit({ ...options, ...unit, hasPeer }, this.#closing.signal));
    this.#clients = units.map(({ http }) => http);
    this.#sleep = sleep;
    this.#backoffMs = options.backoffMs;
  }

  /**
   * Does work on the active unit. Work may be begun again from its start, on the same unit after a new login or on the
   * other one after a failover: once for each reason, so that it ends.
   */
  async run<T>(work: (unit: ActiveUnit) => Promise<T>, callerSignal: AbortSignal): Promise<T> {
    const signal = AbortSignal.any([callerSignal, this.#closing.signal]);
    const met = new Set<string>();
    for (;;) {
      signal.throwIfAborted();
      this.#chosen ??= this.#choose();
      const chosen = this.#chosen;
      const active = activeUnit(await abortable(chosen, signal), signal);
      try {
        return await work(active);
      } catch (error) {
        const why = this.#whyLeft(error);
        if (why === undefined) throw error;
        if (this.#chosen === chosen) this.#chosen = undefined;
        if (met.has(why)) throw error instanceof UnitLeft ? error.failure : error;
        met.add(why);
      }
    }
  }

  /** Deletes the tokens, as far as the units let us, and ends the connections. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the balancer is closed'));
    await this.#chosen?.catch(() => undefined);
    this.#chosen = undefined;
    await Promise.all(this.#units.map((unit) => unit.drop()));
    await Promise.all(this.#clients.map((http) => http.close()));
  }

  /** In a pair, a unit that does not answer is as good as one that has turned standby: the other one may have taken over. */
  #whyLeft(error: unknown): string | undefined {
    if (error instanceof UnitLeft) return error.why;
    return this.#units.length > 1 && isUnreachable(error) ? 'silent' : undefined;
  }

  async #choose(): Promise<Seen> {
    try {
      const looks = await retrying(() => Promise.all(this.#units.map(lookAt)), {
        backoffMs: this.#backoffMs,
        again: mayChange,
        sleep: this.#sleep,
        signal: this.#closing.signal,
      });
      return await chosenFrom(looks);
    } catch (error) {
      this.#chosen = undefined;
      throw error;
    }
  }
}

/** The tokens on units that are not worked on are deleted; a unit that cannot be asked keeps its own, for when it can. */
async function chosenFrom(looks: readonly Look[]): Promise<Seen> {
  let chosen: Seen | undefined;
  try {
    chosen = activeOf(looks);
    return chosen;
  } finally {
    const left = looks.filter((look) => 'view' in look && look.unit !== chosen?.unit);
    await Promise.all(left.map(({ unit }) => unit.drop()));
  }
}

function activeUnit({ unit, view }: Seen, signal: AbortSignal): ActiveUnit {
  const paired = view?.paired ?? false;
  return {
    self: view?.self ?? '',
    origin: unit.origin,
    paired,
    mute: view === undefined,
    call: (ask) => unit.call(ask, signal),
    confirm: async () => {
      if (!paired) return;
      const now = await unit.view(signal);
      if (now && now.state !== 'active') throw new UnitLeft('standby', notActive({ unit, view: now }));
    },
  };
}

function lookAt(unit: F5Unit): Promise<Look> {
  return unit.look().then(
    (view) => ({ unit, view }),
    (error: unknown) => ({ unit, error }),
  );
}
