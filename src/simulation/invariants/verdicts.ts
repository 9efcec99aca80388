import type { Step } from '../../domain/plan.ts';
import { stepsOfTarget } from '../../domain/plan.ts';
import type { Eyes, Watched } from '../eyes.ts';
import { EPOCH_MS } from '../life.ts';
import type { Counted } from '../measuring.ts';

/** What a judge says of its verdict; times are ms since the epoch. */
export type Told = {
  readonly verdict: 'pass' | 'fail' | 'unsure' | 'no data';
  readonly from: number;
  readonly stepMs: number;
  readonly steps: number;
  readonly at: number;
};

type Judging = {
  readonly told: Told;
  readonly judge: number;
  /** When Edge last changed a server of the canary, virtual ms. */
  readonly changedAtMs: number;
};

/** Both sides of a step, as their source has it by now. */
type Both = { readonly canary: Counted | null; readonly baseline: Counted | null };

/** What speaks against a verdict in what its source had of the steps that it was based on, what came late with it. */
export function wrongVerdict(eyes: Eyes, watched: Watched, judging: Judging): string | undefined {
  const { told, judge, changedAtMs } = judging;
  const { measuring } = eyes;
  const { leastSteps, servers, hasHistory } = rulesIn(watched, judge);
  if (!measuring || !servers) return undefined;
  if (told.verdict === 'no data') return wrongSilence(eyes, watched, judging);
  const points = pointsOf(eyes, watched, judging, told.steps);
  const whole = points.filter(({ canary, baseline }) => canary && baseline);
  const shares = whole.map(({ canary, baseline }) => (shareOf(canary) + 1e-9) / (shareOf(baseline) + 1e-9));
  const isWorse = shares.some((ratio) => ratio > 1.001);
  if (told.from < EPOCH_MS + changedAtMs)
    return `it was judged from ${told.from - EPOCH_MS} on, and the canary was changed at ${changedAtMs}`;
  if (told.verdict === 'fail' || told.verdict === 'unsure')
    return isWorse ? undefined : 'its source had nothing that is worse';
  if (whole.length < leastSteps) return `its source had ${whole.length} steps, and it needs ${leastSteps}`;
  const isHarm = !hasHistory && shares.length >= leastSteps && shares.every((ratio) => ratio > 2);
  return isHarm ? 'its source had nothing but harm' : undefined;
}

/** Nothing was missing, and the source has always answered. */
function wrongSilence(eyes: Eyes, watched: Watched, judging: Judging): string | undefined {
  const course = eyes.measuring?.courseOf(watched.id);
  if (!course || course.silent || course.refuses || course.lateMs > 0) return undefined;
  if (eyes.struckAtMs(CLOCKS) > Number.NEGATIVE_INFINITY) return undefined;
  const { mostSteps, staleSteps } = rulesIn(watched, judging.judge);
  const points = pointsOf(eyes, watched, judging, Math.min(mostSteps, judging.told.steps + staleSteps + 1));
  const isWhole = points.length > 0 && points.every(({ canary, baseline }) => canary && baseline);
  return isWhole ? 'its source had all' : undefined;
}

const CLOCKS = new Set(['clock'] as const);

/** The value of a step is that of the point at its end. */
function pointsOf(eyes: Eyes, watched: Watched, { told, judge }: Judging, steps: number): readonly Both[] {
  const course = eyes.measuring?.courseOf(watched.id);
  const { servers } = rulesIn(watched, judge);
  return Array.from({ length: steps }, (_, n) => {
    const atMs = told.from + (n + 1) * told.stepMs;
    const all = (names: readonly string[]) =>
      names.flatMap((name) => eyes.measuring?.counted(name, atMs, course) ?? []);
    return { canary: sum(all(servers?.canary ?? [])), baseline: sum(all(servers?.baseline ?? [])) };
  });
}

function sum(all: readonly Counted[]): Counted | null {
  if (all.length === 0) return null;
  const of = (what: keyof Counted) => all.reduce((added, one) => added + one[what], 0);
  return { requests: of('requests'), errors: of('errors') };
}

const shareOf = (counted: Counted | null): number => (counted ? counted.errors / counted.requests : 0);

type Pairs = readonly Readonly<Record<'canary' | 'baseline', { readonly name: string }>>[];
type Analysis = Readonly<Record<'leastSteps' | 'staleSteps' | 'mostMs' | 'stepMs' | 'historyMs', number>>;

function rulesIn({ plan }: Watched, judge: number) {
  const [step] = stepsOfTarget(plan, judge);
  const analysis = literal(step, 'analysis') as Analysis | undefined;
  const pairs = literal(step, 'pairs') as Pairs | undefined;
  const names = (side: 'canary' | 'baseline') => [...new Set(pairs?.map((pair) => pair[side].name))];
  return {
    leastSteps: analysis?.leastSteps ?? 1,
    staleSteps: analysis?.staleSteps ?? 1,
    mostSteps: Math.floor((analysis?.mostMs ?? 0) / (analysis?.stepMs ?? 1)),
    // Who has learnt how much servers differ anyway may let pass what differs by more than that.
    hasHistory: (analysis?.historyMs ?? 0) > 0,
    servers: pairs && { canary: names('canary'), baseline: names('baseline') },
  };
}

function literal(step: Step | undefined, name: string): unknown {
  const input = step?.inputs[name];
  return input && 'value' in input ? input.value : undefined;
}
