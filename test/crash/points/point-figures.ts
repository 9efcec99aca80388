import { median } from '../figures.ts';
import type { PointResult } from './point-run.ts';

export type PointFigures = {
  /** Points that were struck, of how many. */
  readonly points: number;
  /** Runs in which the process came by its point. */
  readonly runs: number;
  /** Runs that went on by themselves and ended as they should. */
  readonly resumed: number;
  readonly duplicateCommands: number;
  readonly medianResumeMs: number;
  readonly maxResumeMs: number;
  /** Processes that were killed or stopped. */
  readonly strikes: number;
  readonly commands: number;
  /** Runs whose process never came by its point: they show nothing. */
  readonly missed: readonly string[];
  /** Points that no run came by. */
  readonly neverHit: readonly string[];
  readonly problems: readonly string[];
};

const LIMITS = { medianMs: 5_000, maxMs: 30_000 };

export function pointFigures(results: readonly PointResult[]): PointFigures {
  const hit = results.filter(({ hits }) => hits > 0);
  const names = (some: readonly PointResult[]) => new Set(some.map(({ options }) => options.point.name));
  const struck = names(hit);
  const times = hit.flatMap(({ resumeMs }) => resumeMs ?? []);
  return {
    points: struck.size,
    runs: hit.length,
    resumed: hit.filter(({ problems }) => problems.length === 0).length,
    duplicateCommands: sum(results, (one) => one.duplicateCommands),
    medianResumeMs: median(times),
    maxResumeMs: Math.max(0, ...times),
    strikes: sum(results, (one) => one.hits),
    commands: sum(results, (one) => one.commands),
    missed: results.filter(({ hits }) => hits === 0).map(titleOf),
    neverHit: [...names(results)].filter((name) => !struck.has(name)),
    problems: results.flatMap((one) =>
      one.problems.map((problem) => `${titleOf(one)}: ${problem} (${one.folder})`),
    ),
  };
}

type Times = { readonly runs: number; readonly medianResumeMs: number; readonly maxResumeMs: number };
export type SilentFigures = PointFigures & {
  /** What hosts and the store fence goes on when the lease has run out. */
  readonly afterLease: Times;
  /** What a balancer is told waits for the quarantine as well. */
  readonly afterQuarantine: Times;
};

/** Of runs without proof of death. */
export function silentFigures(results: readonly PointResult[]): SilentFigures {
  const isOfBalancer = ({ options }: PointResult) => options.point.name.startsWith('balancer.');
  return {
    ...pointFigures(results),
    afterLease: timesOf(results.filter((one) => !isOfBalancer(one))),
    afterQuarantine: timesOf(results.filter(isOfBalancer)),
  };
}

function timesOf(results: readonly PointResult[]): Times {
  const { runs, medianResumeMs, maxResumeMs } = pointFigures(results);
  return { runs, medianResumeMs, maxResumeMs };
}

/** Whether what was promised held; without proof of death there is no promise of how fast. */
export function isSound(figures: PointFigures, { proof }: { readonly proof: boolean }): boolean {
  const { runs, resumed, duplicateCommands, neverHit, problems, medianResumeMs, maxResumeMs } = figures;
  const isInTime = !proof || (medianResumeMs < LIMITS.medianMs && maxResumeMs < LIMITS.maxMs);
  return resumed === runs && duplicateCommands === 0 && neverHit.length + problems.length === 0 && isInTime;
}

export function lineOf(result: PointResult): string {
  const { hits, resumeMs, problems, folder } = result;
  const time = resumeMs === null ? 'nothing was left' : `${resumeMs} ms`;
  const verdict = problems.length === 0 ? 'ok' : `FAILED ${problems.join('; ')} (${folder})`;
  return `${titleOf(result).padEnd(56)} ${(hits > 0 ? time : 'NOT HIT').padStart(16)}  ${verdict}`;
}

function titleOf({ options }: PointResult): string {
  const { point, nth, act, strikes, proof, strategy, store } = options;
  const beside = [...(strikes > 1 ? [`${strikes} in a row`] : []), ...(proof ? [] : [act, 'without proof'])];
  return [`${point.name} ${nth}`, strategy, store.name, ...beside].join(' ');
}

const sum = (results: readonly PointResult[], of: (one: PointResult) => number): number =>
  results.reduce((total, one) => total + of(one), 0);
