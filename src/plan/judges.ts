import { BALANCER, isCountedByBalancers } from '../domain/analysis.ts';
import { type BalancerConfig, type MemberRef, socketsOf } from '../domain/balancer.ts';
import { poolKey } from '../domain/capacity.ts';
import { EdgeError } from '../domain/errors.ts';
import { fitsIntoCheckpoint, type PoolSize } from '../domain/packed-traffic.ts';
import type { Batch, Lane, Plan, PlanTarget, Policy, Step } from '../domain/plan.ts';
import type { JsonObject } from '../lib/json.ts';
import { didYouMean } from '../lib/nearest.ts';
import type { Context } from './assemble.ts';
import type { Settings } from './settings.ts';

type Analysed = Settings & { readonly analysis: NonNullable<Settings['analysis']> };

/** A server that is measured, and the one that is as it was, with which it is compared. */
type Pair = { readonly canary: Measured; readonly baseline: Measured };
type Measured = {
  readonly name: string;
  readonly address: string;
  readonly port: number | null;
  readonly zone: string;
};

type Judged = Pick<Context, 'request' | 'settings' | 'seen'>;

/** Whether a plan of this request would have its canary judged, if it has one. */
export const isToBeJudged = ({ request, settings, seen }: Judged): boolean =>
  settings.analysis !== undefined &&
  request.verb === 'deploy' &&
  !request.hard &&
  !request.reload &&
  !seen.cold;

/**
 * The plan with a judge behind each canary batch (docs/decisions/0033): a target that is none, as hooks are, whose one step looks at
 * metrics until it is decided. Nothing else of its lane begins meanwhile. A canary without a server to compare it with has none, nor has
 * one in an environment where nothing is measured. Throws `config_reference`.
 */
export function withJudges(plan: Plan, context: Judged): Plan {
  const settings = analysed(context);
  if (!settings) return plan;
  const judges: PlanTarget[] = [];
  const steps: (readonly [string, readonly Step[]])[] = [];
  const judged = (lane: Lane): Lane => {
    const last = lane.batches.findLastIndex(isCanary);
    const pairs = pairsOf(lane, plan, context);
    const canary = plan.targets[pairs[0]?.index ?? -1];
    if (!canary) return lane;
    const name = judges.length === 0 ? 'judge' : `judge ${judges.length + 1}`;
    steps.push([name, [judging(pairs, settings)]]);
    judges.push(judgeOf(name, canary));
    const index = plan.targets.length + judges.length - 1;
    const batch = { name, sequence: name, targets: [index], parallel: 1, countsFailures: false };
    return { ...lane, batches: lane.batches.toSpliced(last + 1, 0, batch) };
  };
  const stages = plan.stages.map((stage) => ({ ...stage, lanes: stage.lanes.map(judged) }));
  if (judges.length === 0) return plan;
  return {
    ...plan,
    stages,
    targets: [...plan.targets, ...judges],
    sequences: { ...plan.sequences, ...Object.fromEntries(steps) },
    policy: { ...plan.policy, onFailure: { ...plan.policy.onFailure, ...reactionsOf(settings) } },
  };
}

function analysed(context: Judged): Analysed | undefined {
  const { analysis, ...settings } = context.settings;
  if (!analysis || !isToBeJudged(context) || whyUnmeasured(context.settings) !== undefined) return undefined;
  for (const { name, source } of analysis.metrics) {
    if (source === BALANCER || Object.hasOwn(settings.metrics, source)) continue;
    throw new EdgeError(
      'config_reference',
      `The metric "${name}" comes from "${source}", and ${settings.environment} has no such source of metrics`,
      { hint: didYouMean(source, Object.keys(settings.metrics)), where: { path: 'analysis.metrics' } },
    );
  }
  return { ...settings, analysis };
}

/** Why nothing is there that a canary could be judged by, as the end of a sentence; `undefined` where something is. */
export function whyUnmeasured({ analysis, metrics, balancers }: Settings): string | undefined {
  const isAsked = analysis?.metrics.some(({ source }) => source !== BALANCER) === true;
  if (isAsked && Object.keys(metrics).length === 0) return 'the environment names no source of metrics';
  if (!isAsked && Object.keys(balancers).length === 0)
    return 'the environment has no balancer that could count its errors';
  return undefined;
}

/** As the cut of a lane names it; of mixed targets there are several. */
export const isCanary = ({ name, countsFailures }: Batch): boolean =>
  countsFailures && (name === 'canary' || name.startsWith('canary '));

type Found = Pair & { readonly index: number; readonly members: ServerMembers };
/** What the servers of a pair are behind their balancers, by their names. */
type ServerMembers = Readonly<Record<string, readonly MemberRef[]>>;

/**
 * Each server of the canary that served before, with one of the same pools that changes as late as there is one. Where there are fewer of
 * those, some of them are in several pairs.
 */
function pairsOf(
  { batches }: Lane,
  { targets }: Plan,
  { request }: Pick<Context, 'request'>,
): readonly Found[] {
  const configs = new Map(request.projectEnvironment.targets.map((config) => [config.name, config]));
  const serving = (some: readonly Batch[]) =>
    some
      .filter(({ countsFailures }) => countsFailures)
      .flatMap((batch) => batch.targets)
      .flatMap((index) => {
        const target = targets[index];
        return target?.inServiceBefore ? [{ index, target }] : [];
      });
  const others = Map.groupBy(
    serving(batches.filter((batch) => !isCanary(batch))).toReversed(),
    ({ target }) => poolsOf(target),
  );
  const used = new Map<string, number>();
  return serving(batches.filter(isCanary)).flatMap(({ index, target }): readonly Found[] => {
    const pools = poolsOf(target);
    const alike = others.get(pools) ?? [];
    const turn = used.get(pools) ?? 0;
    used.set(pools, turn + 1);
    const other = alike[turn % Math.max(1, alike.length)]?.target;
    if (!other) return [];
    const measured = ({ name, zone }: PlanTarget): Measured => {
      const { address = name, port = null } = configs.get(name) ?? {};
      return { name, address, port, zone };
    };
    const members = { [target.name]: target.members, [other.name]: other.members };
    return [{ index, canary: measured(target), baseline: measured(other), members }];
  });
}

const poolsOf = ({ members }: PlanTarget): string => members.map(poolKey).toSorted().join(' ');

/** No target has such a name. */
const judgeOf = (name: string, canary: PlanTarget): PlanTarget => ({
  name: name.replace(/^judge/, 'judge:canary').replace(' ', ':'),
  ...{ zone: canary.zone, pool: canary.pool, members: [], inServiceBefore: false },
  ...{ release: canary.release, before: null, facts: {}, hook: true },
});

/** What a source that does not answer may cost beside the time of the analysis itself. */
const MARGIN_MS = 600_000;

function judging(pairs: readonly Found[], settings: Analysed): Step {
  const { analysis, metrics, policy } = settings;
  const { warmUpMs, mostMs, stepMs, staleSteps } = analysis;
  const used = new Set(analysis.metrics.map(({ source }) => source));
  const sources = Object.fromEntries(Object.entries(metrics).filter(([name]) => used.has(name)));
  const { unsure, noData } = policy.onFailure;
  const goOn = [...(unsure === 'continue' ? ['unsure'] : []), ...(noData === 'continue' ? ['no data'] : [])];
  return {
    id: 'judge',
    action: 'canary.judge@1',
    inputs: {
      analysis: { value: asJson(analysis) },
      sources: { value: asJson(sources) },
      pairs: { value: pairs.map(({ canary, baseline }) => ({ canary, baseline })) },
      ...(isCountedByBalancers(analysis) && countedBy(pairs, settings)),
      since: { opened: true },
      until: { opened: 'batch' },
      goOn: { value: goOn },
    },
    timeoutMs: warmUpMs + mostMs + stepMs * (staleSteps + 2) + MARGIN_MS,
    retries: { max: 0, backoffMs: 0 },
    onUnknown: 'retry',
  };
}

/** What the judge has to know to read what balancers count. Throws `config_reference` where they count nothing of what is compared. */
function countedBy(pairs: readonly Found[], { analysis, balancers }: Analysed): Step['inputs'] {
  const members: ServerMembers = Object.fromEntries(pairs.flatMap((pair) => Object.entries(pair.members)));
  const all = Object.values(members).flat();
  if (all.length === 0)
    throw new EdgeError('config_reference', 'No server of the canary is a member of a pool', {
      hint: `Name other metrics than those of \`source: ${BALANCER}\`, or the pools of the targets.`,
      where: { path: 'analysis.metrics' },
    });
  requireRoom(analysis, all, balancers);
  const used = new Set(all.map(({ balancer }) => balancer));
  const own = Object.fromEntries(Object.entries(balancers).filter(([name]) => used.has(name)));
  return { members: { value: asJson(members) }, balancers: { value: asJson(own) } };
}

/** What was counted goes from look to look in a checkpoint, which is small (src/domain/packed-traffic.ts). */
function requireRoom(
  { mostMs, stepMs }: Analysed['analysis'],
  members: readonly MemberRef[],
  balancers: Analysed['balancers'],
): void {
  const steps = Math.floor(mostMs / stepMs);
  const pools = Map.groupBy(members, poolKey);
  const sizes = Array.from(pools.values(), (own): PoolSize => {
    const config = balancers[own[0]?.balancer ?? ''];
    return { members: own.length, instances: config ? instancesOf(config) : 1 };
  });
  if (fitsIntoCheckpoint(steps, sizes)) return;
  throw new EdgeError(
    'config_invalid',
    `What balancers count of ${members.length} members in ${steps} steps is more than a judge can keep`,
    {
      hint: 'Take a longer `stepMs`, a shorter `mostMs`, or fewer servers into the canary.',
      where: { path: 'analysis' },
    },
  );
}

const instancesOf = (config: BalancerConfig): number =>
  config.kind === 'haproxy' ? Math.max(1, socketsOf(config).length) : 1;

/** Configuration is JSON; its type says it in other words. */
const asJson = (value: object): JsonObject => value as JsonObject;

/** What its team lets pass is no failure. */
function reactionsOf({ policy: { onFailure } }: Settings): Partial<Policy['onFailure']> {
  const { canary = 'rollback', unsure = 'pause', noData = 'pause' } = onFailure;
  return {
    canary,
    ...(unsure !== 'continue' && { unsure }),
    ...(noData !== 'continue' && { noData }),
  };
}
