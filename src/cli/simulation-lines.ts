import type { Output } from '../api/contract.ts';
import { partName } from '../domain/capacity.ts';
import { ENDINGS, type Ending } from '../domain/plan-simulation.ts';
import { counted, duration, table } from '../words/format.ts';
import { type Line, line, type Tone } from './view/line.ts';

export type Report = Extract<Output<'simulatePlan'>, { readonly kind: 'report' }>;
type Case = Report['cases'][number];

/** Each ending in words, and what it is for who planned it. */
const WORDS: Readonly<Record<Ending, { readonly words: string; readonly tone: Tone }>> = {
  succeeded: { words: 'succeeded', tone: 'good' },
  'with-exceptions': { words: 'succeeded with exceptions', tone: 'warn' },
  'rolled-back': { words: 'failed and were rolled back', tone: 'warn' },
  'rollback-failed': { words: 'failed, and so did the rollback', tone: 'bad' },
  held: { words: 'waited for a decision', tone: 'warn' },
  failed: { words: 'failed without a rollback', tone: 'bad' },
  aborted: { words: 'were aborted', tone: 'bad' },
  unfinished: { words: 'came to no end: a fault of Edge', tone: 'bad' },
};

/** What came of the runs, for people. The server touched nothing for it. */
export function simulationLines(report: Report): readonly Line[] {
  return [
    ...violationLines(report),
    ...report.cases.flatMap((one) => [...caseLines(one), line('')]),
    ...oddsLines(report),
    line(`plan ${report.planHash.slice(0, 12)}, seed ${report.seed}: the same again gives the same.`, 'dim'),
  ];
}

/** Nothing is as urgent as a broken promise. */
function violationLines({ violations }: Report): readonly Line[] {
  if (violations.length === 0) return [];
  return [
    line(
      'EDGE BROKE A PROMISE OF ITS OWN in this simulation. Do not deploy this plan; please report it:',
      'bad',
    ),
    ...violations.map(({ run, release, invariant, message }) =>
      line(`  run ${run} with a ${release} release, ${invariant}: ${message}`, 'bad'),
    ),
    line(''),
  ];
}

function caseLines(one: Case): readonly Line[] {
  const { release, runs, endings, durationMs, pools } = one;
  const head =
    release === 'good'
      ? `${counted(runs, 'run')} with a release that works`
      : `${counted(runs, 'run')} with a release that never becomes healthy`;
  const met = ENDINGS.filter((ending) => endings[ending] > 0);
  return [
    line(head, 'strong'),
    ...met.map((ending) =>
      line(`  ${share(endings[ending], runs)}  ${WORDS[ending].words}`, WORDS[ending].tone),
    ),
    line(
      `  in ${duration(durationMs.p50)} mostly, ${duration(durationMs.p90)} nine times of ten, ${duration(durationMs.p99)} at worst of a hundred`,
    ),
    ...(release === 'bad' ? reachLines(one) : []),
    ...pools.map((pool) => {
      const { balancer, pool: name, zone, floor, configured, lowest, usual } = pool;
      const words = `  ${partName(`${balancer}/${name}`, zone)}: down to ${usual} of ${configured} in service, at worst ${lowest}; floor ${floor}`;
      return line(words, lowest < floor ? 'warn' : 'plain');
    }),
  ];
}

/** How far a bad release gets before it is stopped. */
function reachLines({ touched, ran, served }: Case): readonly Line[] {
  const most = served.most === 0 ? 'and never to clients' : `to clients on at most ${served.most}`;
  return [
    line(
      `  ${counted(touched.p50, 'target')} touched until it is stopped, at most ${touched.most}; it ran on at most ${ran.most}, ${most}`,
      served.most > 0 ? 'bad' : 'plain',
    ),
  ];
}

/** `99.8 %`, as wide for all; what was met once is never none. */
function share(count: number, of: number): string {
  const percent = (100 * count) / of;
  return `${percent > 0 && percent < 0.1 ? '<0.1' : percent.toFixed(1)} %`.padStart(7);
}

/** Only what the log tells, or what is not rare: the rest is what is usual. */
function oddsLines({ odds }: Report): readonly Line[] {
  const known = odds.filter(({ met }) => met > 0);
  const usual = odds.filter(({ met, of }) => met === 0 && of === 0).length;
  return [
    line('assumed of each target', 'strong'),
    ...table(
      ['  step', 'mishap', 'likely', 'in the log'],
      known.map(({ step, mishap, share: likely, met, of }) => [
        ...[`  ${step}`, mishap, `${(100 * likely).toFixed(2)} %`, `${met} of ${of}`],
      ]),
    ).map((text) => line(text)),
    line(
      known.length === 0
        ? '  no mishap is in the log: what is usual in a fleet was assumed (--json shows it)'
        : `  ${odds.length - known.length} others were not met, ${usual} of them never tried: what is usual counts (--json shows it)`,
      'dim',
    ),
    line(''),
  ];
}
