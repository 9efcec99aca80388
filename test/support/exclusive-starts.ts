import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Store } from '../../src/adapters/sql/ports.ts';
import { type Order, openPlace, type Place, type Started } from './starter-process.ts';

const PROGRAM = fileURLToPath(new URL('./starter-process.ts', import.meta.url));
const SERVERS = 3;
const STARTS_A_ROUND = 50;
const ANSWERS_WITHIN_MS = 60_000;

export type ExclusivityFigures = {
  readonly rounds: number;
  readonly starts: number;
  /** Rounds after which not exactly one deployment was active, or somebody was told otherwise. */
  readonly violations: number;
  /** How many rounds each process won: the race is one only if more than one does. */
  readonly wins: readonly number[];
  readonly wallS: number;
};

export type ExclusivityOptions = {
  readonly place: Place;
  readonly rounds: number;
  readonly onRound?: (n: number) => void;
};

/**
 * Rounds of 50 starts at once for one project and environment, over three processes that each call `Journal.create` on a store of
 * their own, until one is violated. Between the rounds the winner's process drives its deployment to its end.
 */
export async function exclusiveStarts({
  place,
  rounds,
  onRound,
}: ExclusivityOptions): Promise<ExclusivityFigures> {
  const from = performance.now();
  const observer = await openPlace(place);
  const starters = Array.from({ length: SERVERS }, (_, n) => new Starter(`server-${n}`, place));
  const wins = starters.map(() => 0);
  let [played, violations] = [0, 0];
  try {
    await Promise.all(starters.map((starter) => starter.ready));
    for (let round = 0; round < rounds; round += 1) {
      const { winners, isSound } = await playRound(round, starters, observer);
      played += 1;
      if (!isSound) {
        violations += 1;
        break;
      }
      for (const { starter, id } of winners) {
        wins[starter] = (wins[starter] ?? 0) + 1;
        if ((await starters[starter]?.tell({ kind: 'end', id })) !== true)
          throw new Error(`${id} did not end`);
      }
      onRound?.(round + 1);
    }
  } finally {
    await Promise.all(starters.map((starter) => starter.stop()));
    await observer.close();
  }
  const wallS = Math.round((performance.now() - from) / 100) / 10;
  return { rounds: played, starts: played * STARTS_A_ROUND, violations, wins, wallS };
}

type Winner = { readonly starter: number; readonly id: string };

async function playRound(
  round: number,
  starters: readonly Starter[],
  observer: Store,
): Promise<{ readonly winners: readonly Winner[]; readonly isSound: boolean }> {
  const ids = Array.from({ length: STARTS_A_ROUND }, (_, n) => `r${round}-${n}`);
  const lots = starters.map((_, starter) => ids.filter((_id, n) => n % starters.length === starter));
  // Another one is told first in each round.
  const order = starters.map((_, n) => (n + round) % starters.length);
  const answers = await Promise.all(
    order.map(async (starter) => {
      const ids = lots[starter] ?? [];
      const started = await starters[starter]?.tell({ kind: 'start', ids });
      return { starter, started: started as readonly Started[] };
    }),
  );
  const winners = answers.flatMap(({ starter, started }) =>
    started.filter(({ created }) => created.kind === 'created').map(({ id }) => ({ starter, id })),
  );
  const holders = answers
    .flatMap(({ started }) => started)
    .flatMap(({ created }) => (created.kind === 'locked' ? [String(created.holder)] : []));
  const active = await observer.views.deployments({ ended: false, limit: 100 });
  const isSound =
    winners.length === 1 &&
    active.length === 1 &&
    active[0]?.id === winners[0]?.id &&
    holders.length === STARTS_A_ROUND - 1 &&
    holders.every((holder) => holder === winners[0]?.id);
  return { winners, isSound };
}

/** One process, and one order at a time to it. */
class Starter {
  readonly ready: Promise<unknown>;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(name: string, place: Place) {
    const child = spawn(process.execPath, [PROGRAM, name, JSON.stringify(place)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.ready = this.#answer();
  }

  tell(order: Order): Promise<unknown> {
    const answer = this.#answer();
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    return answer;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.stdin?.end();
    await once(this.#child, 'exit');
  }

  async #answer(): Promise<unknown> {
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('a starter does not answer')), ANSWERS_WITHIN_MS).unref();
    });
    const next = await Promise.race([this.#lines.next(), late]);
    if (next.done) throw new Error('a starter ended');
    return JSON.parse(next.value);
  }
}
