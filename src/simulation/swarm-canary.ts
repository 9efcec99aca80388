import type { Json } from '../lib/json.ts';
import { Draw } from './draw.ts';
import type { FaultKind, Strengths } from './faults.ts';
import type { Scenario, ScenarioProject } from './scenario.ts';

/** The chance of each at its strongest: of each deployment whose canary is judged. */
export const STRONGEST_OF_METRICS = {
  'metrics.false-alarm': 0.7,
  'metrics.noisy': 0.9,
  'metrics.absent': 0.6,
  'metrics.gaps': 0.8,
  'metrics.late': 0.8,
  'metrics.unreachable': 0.6,
  'metrics.refused': 0.6,
} as const satisfies Partial<Record<FaultKind, number>>;

type MetricsFault = keyof typeof STRONGEST_OF_METRICS;

/** Each part of a scenario is drawn by itself, so that a seed is otherwise what it was before canaries were judged. */
const drawOf = (seed: number, salt: number): Draw => new Draw(seed ^ salt);

/** In about a third of the seeds. */
const isJudged = (seed: number): boolean => drawOf(seed, 0x3c6ef372).chance(0.36);

/** A project whose canary is judged, by so few steps that it ends within virtual minutes. Some of its releases do harm that no health check sees. */
export function withAnalysis(seed: number, project: ScenarioProject): ScenarioProject {
  if (!isJudged(seed)) return project;
  const draw = drawOf(seed, 0x510e527f);
  const stepMs = draw.pick([2_000, 5_000]);
  const metric = { name: 'errors', source: 'metrics' };
  const analysis = {
    metrics: [{ ...metric, query: `${project.name}_errors`, of: `${project.name}_requests` }],
    ...{ stepMs, mostMs: draw.int(3, 5) * stepMs, historyMs: draw.pick([0, 0, 0, 3 * stepMs]) },
    ...{ warmUpMs: draw.pick([0, 2_000, 5_000]), leastSteps: draw.int(1, 2), staleSteps: draw.int(1, 3) },
  };
  const releases = project.releases.map((release, n) => {
    return n > 0 && draw.chance(0.25) ? { ...release, isHarmful: true as const } : release;
  });
  const canary = draw.pick([1, 1, 2, '20%', '40%']);
  return { ...project, releases, analysis, strategy: { ...project.strategy, canary } };
}

/** What follows from each verdict; some teams say nothing of one. */
export function withVerdicts(seed: number, policy: Scenario['policy']): Scenario['policy'] {
  if (!isJudged(seed)) return policy;
  const draw = drawOf(seed, 0x1f83d9ab);
  const drawn = {
    canary: draw.pick(['nothing', 'rollback', 'pause', 'abort']),
    unsure: draw.pick(['nothing', 'rollback', 'pause', 'abort', 'continue']),
    noData: draw.pick(['nothing', 'rollback', 'pause', 'abort', 'continue']),
  };
  const said = Object.entries(drawn).flatMap(([verdict, how]): readonly (readonly [string, Json])[] =>
    how === 'nothing' ? [] : [[verdict, how]],
  );
  return { ...policy, onFailure: { ...(policy.onFailure as object), ...Object.fromEntries(said) } };
}

/** Each of them is in some of the seeds whose canaries are judged. */
export function strengthsOfMetrics(seed: number): Strengths {
  if (!isJudged(seed)) return {};
  const draw = drawOf(seed, 0x5be0cd19);
  const share = draw.pick([0.3, 0.6, 0.9]);
  const kinds = Object.keys(STRONGEST_OF_METRICS) as readonly MetricsFault[];
  return Object.fromEntries(
    kinds.flatMap((kind) =>
      draw.chance(share) ? [[kind, STRONGEST_OF_METRICS[kind] * draw.pick([0.5, 1])]] : [],
    ),
  );
}
