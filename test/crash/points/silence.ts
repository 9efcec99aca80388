import { setTimeout as wait } from 'node:timers/promises';
import type { Supervised } from '../../support/supervised.ts';
import { until } from '../../support/until.ts';
import type { EdgeProcesses } from '../edge-processes.ts';
import { type Act, type Noted, notesIn } from './arming.ts';
import type { CrashPoint } from './catalogue.ts';
import { END_LIMIT_MS } from './operator.ts';

/** A process that falls silent without proof of its death, and one of another name beside it or after it. */
export type Silence = {
  /** The deed that shows that another one has gone on. */
  readonly sign: string;
  /** Resolves once the process that was stopped goes on again, and what it was about to do has been answered. */
  isOver(): Promise<void>;
  problemsIn(notes: readonly Noted[]): readonly string[];
  stop(): Promise<void>;
};

type Given = {
  readonly edge: EdgeProcesses;
  readonly log: string;
  readonly point: CrashPoint;
  readonly act: Act;
};

/** Longer than a lease, which is 15 s. */
const STOPPED_MS = 20_000;
const LOOK_MS = 50;
const ANSWER_MS = 30_000;
/** As src/adapters/sql/claim.ts has it. */
const QUARANTINE_MS = 60_000;

export function silenceOf(given: Given): Silence {
  const { edge, point, act } = given;
  const isBalancer = point.name.startsWith('balancer.');
  const sign = isBalancer ? 'steers' : point.role === 'server' ? 'drives' : 'works';
  const watch = new AbortController();
  if (act === 'kill') edge.worker.succeedWith(edge.strangerArgs);
  const others: Supervised[] = [];
  const over = act === 'kill' ? Promise.resolve() : stopped(given, others, watch.signal);
  over.catch(() => undefined);
  return {
    sign,
    isOver: () => over,
    problemsIn: (notes) => [
      ...(isBalancer ? quarantineProblems(notes, sign) : []),
      ...lateProblems(notes, point),
    ],
    stop: async () => {
      watch.abort();
      await over.catch(() => undefined);
      for (const other of others) await other.stop();
    },
  };
}

/** Waits for the strike, starts one more process of the role, and lets the stopped one go on when its lease is over. */
async function stopped(
  { edge, log, point }: Given,
  others: Supervised[],
  signal: AbortSignal,
): Promise<void> {
  const hit = await untilNoted(log, 'hit', signal);
  others.push(await edge.another(point.role));
  await wait(STOPPED_MS, undefined, { signal }).catch(() => undefined);
  process.kill(hit.pid, 'SIGCONT');
  signal.throwIfAborted();
  if (point.name.endsWith(':before'))
    await until(
      'the late call is answered',
      async () => (await noted(log, 'answer')) !== undefined,
      ANSWER_MS,
    );
}

const noted = async (log: string, kind: Noted['kind']): Promise<Noted | undefined> =>
  (await notesIn(log)).find((note) => note.kind === kind);

async function untilNoted(log: string, kind: Noted['kind'], signal: AbortSignal): Promise<Noted> {
  const end = performance.now() + END_LIMIT_MS;
  while (performance.now() < end) {
    const found = await noted(log, kind);
    if (found) return found;
    await wait(LOOK_MS, undefined, { signal });
  }
  throw new Error(`nothing was noted of a ${kind}`);
}

/**
 * What a balancer was told may still be on its way: nobody tells it anything before that is over. Afterwards it may be the stopped
 * process itself that takes the work up again.
 */
function quarantineProblems(notes: readonly Noted[], sign: string): readonly string[] {
  const hit = notes.find(({ kind }) => kind === 'hit');
  const next = notes.find((note) => note.kind === 'deed' && note.what === sign && hit && note.at > hit.at);
  if (!hit || !next) return ['nobody steered the balancer after that'];
  const ms = next.at - hit.at;
  return ms < QUARANTINE_MS ? [`the balancer was steered after ${ms} ms already`] : [];
}

/** Two calls say in their answer that they came too late. What a balancer was told late, the quarantine waits out. */
function lateProblems(notes: readonly Noted[], { name }: CrashPoint): readonly string[] {
  const late = notes.find((note) => note.kind === 'answer');
  if (!late) return [];
  const said = JSON.stringify(late.answer);
  const isRefused = REFUSED[name]?.(late.answer) ?? true;
  return isRefused ? [] : [`what was late was taken: ${said}`];
}

const REFUSED: Readonly<Record<string, (answer: unknown) => boolean>> = {
  'journal.commit:before': (answer) => JSON.stringify(answer) === '{"kind":"lost"}',
  'board.checkpoint:before': (answer) => /"lost":\["/.test(JSON.stringify(answer)),
};
