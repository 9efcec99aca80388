import type { Plan } from '../domain/plan.ts';
import type { Json } from '../lib/json.ts';
import { Draw } from './draw.ts';
import type { Faults } from './faults.ts';
import type { Schedule } from './schedule.ts';

/** What a source of metrics makes of a deployment, from the first look of its judges on. */
export type Course = {
  readonly canary: ReadonlySet<string>;
  readonly baseline: ReadonlySet<string>;
  /** Of each server in each step. */
  readonly requests: number;
  /** What it says of a canary that does no harm, from then on; virtual ms. */
  readonly fromMs: number;
  readonly tale: 'true' | 'false alarm' | 'noisy';
  /** Servers of which it says nothing. */
  readonly absent: ReadonlySet<string>;
  /** Of the points of each server so many are left out, by a draw from this seed. */
  readonly gaps: { readonly share: number; readonly seed: number } | null;
  /** Points come so much later; `saysLate`: and it says up to when they are complete. */
  readonly lateMs: number;
  readonly saysLate: boolean;
  /** When it does not answer. */
  readonly silent: { readonly fromMs: number; readonly toMs: number } | null;
  readonly refuses: boolean;
};

type Parts = { readonly draw: Draw; readonly faults: Faults; readonly schedule: Schedule };

/** So many requests of each side let `noisy` end without anybody being sure, however many servers and steps there are. */
const REQUESTS = 3_300;

/** Decided when a judge of the plan asks for the first time. `fromMs`: when its stage was opened, up to when all was as before. */
export function courseOf(
  { plan, fromMs }: { readonly plan: Plan; readonly fromMs: number },
  { draw, faults, schedule }: Parts,
): Course {
  const { pairs, steps, stepMs } = judgingIn(plan);
  const canary = new Set(pairs.map((pair) => pair.canary));
  const baseline = new Set(pairs.map((pair) => pair.baseline));
  const tale = faults.strikes('metrics.false-alarm')
    ? 'false alarm'
    : faults.strikes('metrics.noisy')
      ? 'noisy'
      : 'true';
  const absent = faults.strikes('metrics.absent')
    ? draw.pick([canary, baseline, new Set([...canary, ...baseline])])
    : new Set<string>();
  const gaps = faults.strikes('metrics.gaps')
    ? { share: draw.pick([0.3, 0.6]), seed: draw.int(0, 2 ** 31) }
    : null;
  const isLate = faults.strikes('metrics.late');
  const late = { lateMs: isLate ? draw.int(1, 4) * stepMs : 0, saysLate: isLate && draw.chance(0.5) };
  const silentFromMs = schedule.nowMs + draw.int(0, 10_000);
  const silent = draw.chance(faults.strength('metrics.unreachable'))
    ? {
        fromMs: silentFromMs,
        toMs: draw.chance(0.3) ? Infinity : silentFromMs + draw.skewed(2_000, 60_000),
      }
    : null;
  const refuses = draw.chance(faults.strength('metrics.refused'));
  const requests = Math.round(REQUESTS / steps / canary.size);
  return { canary, baseline, requests, fromMs, tale, absent, gaps, ...late, silent, refuses };
}

/** Whether a source has nothing of a server at a moment, ms since the epoch. */
export function isGap({ absent, gaps }: Course, target: string, atMs: number): boolean {
  if (absent.has(target)) return true;
  if (!gaps) return false;
  const number = Number(target.replace(/\D/g, ''));
  return new Draw((gaps.seed ^ Math.floor(atMs)) + number * 7_919).chance(gaps.share);
}

type Pair = { readonly canary: string; readonly baseline: string };

function judgingIn(plan: Plan): {
  readonly pairs: readonly Pair[];
  readonly steps: number;
  readonly stepMs: number;
} {
  const all = Object.values(plan.sequences).flatMap(([step]) =>
    step?.action.startsWith('canary.judge@') ? [step.inputs] : [],
  );
  const pairs = all.flatMap(({ pairs: input }) =>
    (literal(input) as readonly { readonly canary: Named; readonly baseline: Named }[]).map((pair) => {
      return { canary: pair.canary.name, baseline: pair.baseline.name };
    }),
  );
  const { mostMs, stepMs } = literal(all[0]?.analysis) as {
    readonly mostMs: number;
    readonly stepMs: number;
  };
  return { pairs, steps: Math.floor(mostMs / stepMs), stepMs };
}

type Named = { readonly name: string };

const literal = (input: unknown): Json => (input as { readonly value: Json }).value;
