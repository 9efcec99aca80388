import { EdgeError } from '../domain/errors.ts';
import type { Hook, HookPlace } from '../domain/hook.ts';
import type { Batch, Plan, PlanTarget, Stage } from '../domain/plan.ts';
import type { TargetConfig } from '../domain/project-environment.ts';
import { didYouMean } from '../lib/nearest.ts';
import { type Context, scriptsOf } from './assemble.ts';
import { workplaceOf } from './targets.ts';

/**
 * The plan with what its strategy runs around the targets (docs/decisions/0028). A hook is a target of its own that is none: it has
 * one step, on the host of a real one, in a batch of its own, so that it is granted, resumed, retried, left out and told of like any
 * other work. Throws `target_unknown`.
 */
export function withHooks(plan: Plan, { request, settings, platform }: Context): Plan {
  const hooks = (settings.strategy.hooks ?? []).filter(({ verbs }) => verbs.includes(request.verb));
  if (hooks.length === 0) return plan;
  const configs = new Map(request.projectEnvironment.targets.map((config) => [config.name, config]));
  const made = new Map(hooks.map((hook) => [hook.id, platform.hook(hook, settings)]));
  const uses: PlanTarget[] = [];
  const times = new Map<string, number>();

  /** Once more: on the host that it names, or on that of the first of these targets. */
  const use = (hook: Hook, name: string, first: number): Batch => {
    const config = hostOf(hook, plan.targets[first]?.name ?? '', configs);
    const { zone, workers } = workplaceOf(config, settings);
    uses.push({
      name: nameOf(hook, times),
      ...{ zone, pool: workers, members: [], inServiceBefore: false, release: plan.release, before: null },
      facts: made.get(hook.id)?.facts(config) ?? {},
      hook: true,
    });
    const target = plan.targets.length + uses.length - 1;
    return { name, sequence: sequenceOf(hook), targets: [target], parallel: 1, countsFailures: false };
  };
  const at = (place: HookPlace): readonly Hook[] => hooks.filter((hook) => hook.at === place);
  const stage = (name: string, place: HookPlace, first: number, when?: Stage['when']): readonly Stage[] => {
    const batches = at(place).map((hook) => use(hook, hook.id, first));
    if (batches.length === 0) return [];
    return [{ name, lanes: [{ zone: plan.targets[first]?.zone ?? '', batches }], ...(when && { when }) }];
  };
  const around = (batch: Batch): readonly Batch[] => {
    const [first = 0] = batch.targets;
    if (plan.targets[first]?.hook) return [batch];
    const before = at('before-batch').map((hook) => use(hook, `${hook.id} before ${batch.name}`, first));
    const after = at('after-batch').map((hook) => use(hook, `${hook.id} after ${batch.name}`, first));
    return [...before, batch, ...after];
  };
  const inStage = (body: Stage): readonly Stage[] => {
    const before = stage(`before ${body.name}`, 'before-stage', firstOf([body]));
    const lanes = body.lanes.map((lane) => ({ ...lane, batches: lane.batches.flatMap(around) }));
    return [...before, { ...body, lanes }, ...stage(`after ${body.name}`, 'after-stage', firstOf([body]))];
  };

  const first = firstOf(plan.stages);
  const stages = [
    ...stage('before the deployment', 'before-deployment', first),
    ...plan.stages.flatMap(inStage),
    ...stage('after the deployment', 'after-deployment', first),
    ...stage('after a failure', 'on-failure', first, 'failed'),
    ...stage('at the end', 'always', first, 'always'),
  ];
  if (uses.length > MOST_USES)
    throw new EdgeError(
      'plan_too_large',
      `The plan runs ${uses.length} hooks; at most ${MOST_USES} are possible`,
      {
        hint: 'Give it larger batches, or fewer hooks around each.',
      },
    );
  const steps = hooks.map((hook) => [sequenceOf(hook), made.get(hook.id)?.step] as const);
  const sequences = {
    ...plan.sequences,
    ...Object.fromEntries(steps.map(([name, step]) => [name, step ? [step] : []])),
  };
  const { scripts: _, ...rest } = plan;
  return {
    ...rest,
    targets: [...plan.targets, ...uses],
    sequences,
    ...scriptsOf(sequences, settings),
    stages,
  };
}

const MOST_USES = 10_000;

const sequenceOf = ({ id }: Hook): string => `hook-${id}`;

/** No target has such a name. */
function nameOf({ id }: Hook, times: Map<string, number>): string {
  const time = (times.get(id) ?? 0) + 1;
  times.set(id, time);
  return time === 1 ? `hook:${id}` : `hook:${id}:${time}`;
}

const firstOf = (stages: readonly Stage[]): number => stages[0]?.lanes[0]?.batches[0]?.targets[0] ?? 0;

function hostOf({ id, on }: Hook, first: string, configs: ReadonlyMap<string, TargetConfig>): TargetConfig {
  const name = on ?? first;
  const config = configs.get(name);
  if (config) return config;
  throw new EdgeError('target_unknown', `The hook ${id} runs on "${name}", and there is no such target`, {
    hint: didYouMean(name, configs.keys()),
    where: { target: name },
  });
}

/**
 * The hooks that a rollback does for what it returns, at its end: the `always` ones, and those of a failure, since that is what made it.
 * `from`: the index that the first of them gets.
 */
export function hooksOfRollback(plan: Plan, from: number): Pick<Plan, 'targets' | 'stages' | 'sequences'> {
  const last = plan.stages.filter(({ when }) => when !== undefined);
  const batches = last.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.batches));
  const indexes = batches.flatMap(({ targets }) => targets);
  const moved = (batch: Batch): Batch => ({
    ...batch,
    targets: batch.targets.map((index) => from + indexes.indexOf(index)),
  });
  return {
    targets: indexes.flatMap((index) => plan.targets[index] ?? []),
    stages: last.map(({ name, lanes }) => ({
      ...{ name, when: 'always' },
      lanes: lanes.map((lane) => ({ ...lane, batches: lane.batches.map(moved) })),
    })),
    sequences: Object.fromEntries(batches.map(({ sequence: of }) => [of, plan.sequences[of] ?? []])),
  };
}
