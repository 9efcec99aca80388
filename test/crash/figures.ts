import type { CrashResult } from './crash-run.ts';
import type { Kill, Scenario } from './scenarios.ts';

export type CrashFigures = {
  readonly runs: number;
  /** Runs that went on by themselves and ended as they should. */
  readonly resumed: number;
  readonly duplicateCommands: number;
  readonly medianResumeMs: number;
  readonly maxResumeMs: number;
  readonly kills: number;
  readonly commands: number;
  readonly outputBytes: number;
  readonly lostOutputBytes: number;
  readonly extraOutputBytes: number;
  readonly byKind: Readonly<Record<string, { kills: number; medianMs: number; maxMs: number }>>;
  /** Without proof of death: from the kill to the first write that the new worker made known. */
  readonly quarantineMs: number | null;
  readonly problems: readonly string[];
};

/** With proof of death, a deployment goes on within this time in half of all cases. */
const MEDIAN_LIMIT_MS = 5_000;

export function figuresOf(results: readonly CrashResult[]): CrashFigures {
  const sum = (of: (result: CrashResult) => number) => results.reduce((total, one) => total + of(one), 0);
  const resumes = results.flatMap(({ scenario, resumes: own }) =>
    own.map(({ kill, ms }) => ({ kind: kindOf(scenario, kill), ms })),
  );
  const all = resumes.map(({ ms }) => ms);
  const kinds = Object.entries(Object.groupBy(resumes, ({ kind }) => kind)).map(([kind, own = []]) => {
    const times = own.map(({ ms }) => ms);
    return [kind, { kills: times.length, medianMs: median(times), maxMs: Math.max(...times) }] as const;
  });
  return {
    runs: results.length,
    resumed: results.filter(({ problems }) => problems.length === 0).length,
    duplicateCommands: sum((one) => one.duplicateCommands),
    medianResumeMs: median(all),
    maxResumeMs: Math.max(0, ...all),
    kills: all.length,
    commands: sum((one) => one.commands),
    outputBytes: sum((one) => one.outputBytes),
    lostOutputBytes: sum((one) => one.lostOutputBytes),
    extraOutputBytes: sum((one) => one.extraOutputBytes),
    byKind: Object.fromEntries(kinds.toSorted()),
    quarantineMs: results.find(({ quarantineMs }) => quarantineMs !== null)?.quarantineMs ?? null,
    problems: results.flatMap(({ problems, folder }) => problems.map((problem) => `${problem} (${folder})`)),
  };
}

export function isSound(figures: CrashFigures): boolean {
  const { runs, resumed, duplicateCommands, lostOutputBytes, extraOutputBytes, medianResumeMs } = figures;
  const isWhole = duplicateCommands + lostOutputBytes + extraOutputBytes === 0;
  return runs > 0 && resumed === runs && isWhole && medianResumeMs < MEDIAN_LIMIT_MS;
}

export function lineOf(
  n: number,
  { scenario, resumes, quarantineMs, problems, folder }: CrashResult,
): string {
  const times = resumes.map(({ kill, ms }) => `${kill} ${ms} ms`);
  if (quarantineMs !== null) times.push(`without proof ${quarantineMs} ms`);
  const { setup, kills, twice, balancer } = scenario;
  const what = [setup, kills.join('+'), ...(twice ? ['twice'] : []), ...(balancer ? ['balancer'] : [])].join(
    ' ',
  );
  const verdict = problems.length === 0 ? 'ok' : `FAILED ${problems.join('; ')} (${folder})`;
  return `${String(n).padStart(3)}  ${what.padEnd(32)} ${times.join(', ').padEnd(36)} ${verdict}`;
}

const kindOf = ({ setup, balancer }: Scenario, kill: Kill): string =>
  `${setup} ${kill}${balancer ? ' in a drain' : ''}`;

/** The middle one, or the mean of the two in the middle; 0 of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1);
  return Math.round(middle.reduce((total, value) => total + value, 0) / Math.max(1, middle.length));
}
