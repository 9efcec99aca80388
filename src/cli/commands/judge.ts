import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CanaryJudge } from '../../analysis/anytime/canary-judge.ts';
import type { Judgement, MetricReport, Verdict } from '../../analysis/anytime/judgement.ts';
import type { Effect } from '../../analysis/anytime/metric-test.ts';
import type { JudgeRules, MetricRules } from '../../analysis/anytime/rules.ts';
import { EdgeError } from '../../domain/errors.ts';
import { dateAndTime, table } from '../../words/format.ts';
import { type Choose, names, newCommand, wholeNumber } from '../command.ts';
import type { Cli } from '../context.ts';
import { readText } from '../read-file.ts';
import type { Sampled } from '../samples.ts';
import { type Line, line, type Tone } from '../view/line.ts';
import { judgeAsKayenta } from './judge-kayenta.ts';

type Options = {
  readonly from?: string;
  readonly kayenta?: string;
  readonly pass: number;
  readonly marginal: number;
  readonly step: number;
  readonly more?: readonly string[];
  readonly less?: readonly string[];
  readonly allowed: number;
  readonly tolerance: number;
  readonly alpha: number;
};

export function addJudge(program: Command, choose: Choose): void {
  newCommand(
    program,
    'judge <samples>',
    "Judges a canary from a file of what was measured, as it would have been judged at the time. The file is CSV with the columns time, metric, side (canary or baseline), server, value, and of (how many requests, where a value counts some of them); what lies before --from is its history. With --kayenta it is the JSON of Kayenta's metric set pairs, judged as Spinnaker does. Asks no server. Ends with 0 only for a pass.",
  )
    .option('--from <time>', 'when the canary began: 2026-03-01T10:00:00Z, or seconds since 1970')
    .option('--step <seconds>', 'how long one step is', wholeNumber, 60)
    .option('--more <metrics>', 'of these only more is harm', names)
    .option('--less <metrics>', 'of these only less is harm; of all others either is', names)
    .addOption(percent('--allowed <percent>', 'let pass what surely differs by less', 25))
    .addOption(percent('--tolerance <percent>', 'hear of no harm below', 2))
    .addOption(percent('--alpha <percent>', 'so many canaries without harm may fail at most', 5))
    .option('--kayenta <file>', 'a canary configuration of Kayenta: judge as it does')
    .option('--pass <score>', "Kayenta's threshold for a pass", wholeNumber, 95)
    .option('--marginal <score>', "Kayenta's threshold for going on", wholeNumber, 75)
    .action((samples: string, options: Options) => {
      choose((cli) =>
        options.kayenta === undefined
          ? judgeSamples(cli, samples, options)
          : judgeAsKayenta(cli, samples, { ...options, kayenta: options.kayenta }),
      );
    });
}

/** As a part of 1. */
const percent = (flags: string, description: string, usual: number): Option =>
  new Option(flags, description).argParser(partOf).default(usual / 100, String(usual));

function partOf(text: string): number {
  const part = Number(text) / 100;
  if (/^\d+(\.\d+)?$/.test(text) && part > 0 && part < 1) return part;
  throw new InvalidArgumentError('Give a part of 100, such as 5.');
}

/** Looks at each step until it is decided, as was possible then. */
async function judgeSamples(cli: Cli, file: string, options: Options): Promise<number> {
  const { samplesIn, stepsOf, timeOf } = await import('../samples.ts');
  const beganMs = timeOf(options.from ?? '');
  if (beganMs === undefined)
    throw new EdgeError('settings_invalid', '--from has to say when the canary began', {
      hint: 'Write it as 2026-03-01T10:00:00Z, or in seconds since 1970.',
    });
  const stepMs = options.step * 1_000;
  const samples = samplesIn(await readText(cli.environment.folder, file), file);
  const sampled = stepsOf(samples, { stepMs, beganMs });
  const { CanaryJudge } = await import('../../analysis/anytime/canary-judge.ts');
  const rules = rulesOf(sampled, options);
  if (rules.mostSteps <= 0)
    throw new EdgeError('samples_invalid', `There is no sample from ${options.from} on`, {
      where: { file },
      hint: 'Compare --from with the times in the file.',
    });
  const judge = new CanaryJudge(rules, historyIn(sampled));
  const judgement = judged(judge, sampled);
  const at = (step: number) => beganMs + step * stepMs;
  const answer = answerOf(judgement, judge.effects(), at);
  cli.answer(answer, () => linesOf(answer));
  return judgement.verdict === 'pass' ? 0 : 1;
}

function rulesOf(
  { history, steps, metrics }: Sampled,
  { more = [], less = [], allowed, tolerance, alpha }: Options,
): JudgeRules {
  const unknown = [...more, ...less].find((name) => !metrics.some((metric) => metric.name === name));
  if (unknown !== undefined)
    throw new EdgeError('settings_invalid', `There is no metric ${unknown} in the file`, {
      hint: `It has ${metrics.map(({ name }) => name).join(', ')}.`,
    });
  const harmOf = (name: string): MetricRules['harm'] => {
    if (more.includes(name) === less.includes(name)) return 'either';
    return more.includes(name) ? 'more' : 'less';
  };
  return {
    metrics: metrics.map(({ name, kind }) => ({
      ...{ name, kind, harm: harmOf(name), isCritical: true, weight: 1, tolerance, allowed },
    })),
    ...{ alpha, failShare: 0, leastSteps: 3, mostSteps: steps - history, staleSteps: 10 },
  };
}

const historyIn = ({ history, metrics }: Sampled) =>
  Object.fromEntries(metrics.map(({ name, steps }) => [name, steps.slice(0, history)]));

function judged(judge: CanaryJudge, { history, steps: all, metrics }: Sampled): Judgement {
  let judgement = judge.judge();
  for (let step = history; step < all && judgement.verdict === 'undecided'; step += 1) {
    judge.add(Object.fromEntries(metrics.map(({ name, steps }) => [name, steps[step]])));
    judgement = judge.judge();
  }
  return judgement;
}

type Answer = {
  readonly verdict: Verdict;
  readonly reason: string;
  /** When it was decided. */
  readonly at: string;
  readonly steps: number;
  readonly metrics: readonly (Omit<MetricReport, 'since'> & { readonly since: string | null })[];
};

function answerOf(
  { verdict, reason, step, metrics }: Judgement,
  effects: Readonly<Record<string, Effect | null>>,
  at: (step: number) => number,
): Answer {
  const iso = (atMs: number) => new Date(atMs).toISOString();
  return {
    ...{ verdict, reason, at: iso(at(step)), steps: step },
    metrics: metrics.map((metric) => ({
      ...metric,
      effect: effects[metric.name] ?? null,
      since: metric.since === null ? null : iso(at(metric.since)),
    })),
  };
}

const TONES: Readonly<Record<Verdict, Tone>> = {
  pass: 'good',
  fail: 'bad',
  unsure: 'warn',
  'no data': 'warn',
  undecided: 'warn',
};

function linesOf({ verdict, reason, at, steps, metrics }: Answer): readonly (string | Line)[] {
  const rows = metrics.map(({ name, state, effect, p, since }) => [
    ...[name, state, effectText(effect), p === 1 ? '1' : p.toPrecision(2)],
    since === null ? '' : dateAndTime(Date.parse(since)),
  ]);
  return [
    line(`${verdict} after ${steps} steps (${dateAndTime(Date.parse(at))}): ${reason}`, TONES[verdict]),
    '',
    ...table(['METRIC', 'STATE', 'CANARY / BASELINE', 'P', 'SINCE'], rows),
  ];
}

function effectText(effect: Effect | null): string {
  if (!effect) return 'unknown';
  const round = (value: number) => (Number.isFinite(value) ? String(Number(value.toPrecision(3))) : '∞');
  return `${round(effect.ratio)} (${round(effect.least)} to ${round(effect.most)})`;
}
