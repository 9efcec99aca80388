import { HOOK_PLACES } from '../domain/hook.ts';
import { CYCLE } from '../domain/strategy.ts';
import type { Json } from '../lib/json.ts';
import { Draw } from './draw.ts';
import { FAULT_KINDS, type FaultKind, type Strengths } from './faults.ts';
import {
  type Ask,
  CHANGE,
  CHECK,
  type Nature,
  type Scenario,
  type ScenarioProject,
  type ScenarioTarget,
  TELL,
} from './scenario.ts';
import { STRONGEST_OF_METRICS, strengthsOfMetrics, withAnalysis, withVerdicts } from './swarm-canary.ts';

/**
 * The chance of each fault where it is at its strongest: per call, per command, per start of a service, per tick of nature
 * (some seconds), per look of a person.
 */
const STRONGEST: Readonly<Record<FaultKind, number>> = {
  'store.slow': 0.02,
  'store.refused': 0.02,
  'store.request-lost': 0.01,
  'commit.reply-lost': 0.03,
  'store.outage': 0.02,
  'store.failover': 0.02,
  'view.stale': 0.1,
  'bell.lost': 0.5,
  'bell.twice': 0.3,
  'bell.late': 0.2,
  'board.slow': 0.03,
  'board.request-lost': 0.02,
  'board.reply-lost': 0.06,
  'board.cut-off': 0.02,
  'board.half-report': 0.1,
  'crash.before-call': 0.002,
  'crash.after-call': 0.002,
  'server.crash': 0.06,
  'worker.crash': 0.06,
  'process.stops': 0.04,
  'process.pause': 0.06,
  'server.pause': 0.01,
  'clock.skew': 0.05,
  'death.unproven': 0.4,
  'host.slow': 0.05,
  'host.refused': 0.05,
  'host.half-open': 0.03,
  'host.cut': 0.15,
  'host.reboot': 0.04,
  'host.wiped': 0.02,
  'host.supervisor-killed': 0.05,
  'host.disk-full': 0.05,
  'host.gone': 0.05,
  'command.slow': 0.08,
  'command.fails': 0.05,
  'command.ignores-term': 0.3,
  'service.slow-start': 0.15,
  'service.flaps': 0.05,
  'service.sick': 0.05,
  'service.dies': 0.02,
  'balancer.slow': 0.05,
  'balancer.queues': 0.05,
  'balancer.refused': 0.04,
  'balancer.reply-lost': 0.05,
  'balancer.request-lost': 0.03,
  'balancer.forgets-drains': 0.02,
  'balancer.edited': 0.03,
  'balancer.monitor-late': 0.2,
  'connections.stay': 0.2,
  'person.aborts': 0.03,
  'person.pauses': 0.06,
  'person.resumes': 0.3,
  'person.retries': 0.15,
  'person.skips': 0.1,
  'person.rolls-back': 0.03,
  'person.deploys-too': 0.1,
  'person.edits': 0.1,
  'person.runs-commands': 0.1,
  'person.is-late': 0.5,
  'person.resolves': 0.15,
  ...STRONGEST_OF_METRICS,
};

/** A seed's scenario: which faults exist and how strong, where Edge runs, what it deploys and how (swarm testing). */
export function scenarioOf(seed: number): Scenario {
  const draw = new Draw(seed);
  const zones = Array.from({ length: draw.int(1, 3) }, (_, n) => ({
    name: `dc-${n + 1}`,
    workers: draw.int(1, 2),
  }));
  const names = draw.chance(0.25) ? ['web', 'api'] : ['web'];
  const targets = targetsOf(
    draw,
    names,
    zones.map(({ name }) => name),
  );
  const projects = names.map((name) => projectOf(draw, name));
  const faultsUntilMs = draw.int(60_000, 340_000);
  const scenario = {
    seed,
    servers: draw.int(1, 3),
    zones,
    embedded: draw.chance(0.3),
    projects,
    targets,
    policy: policyOf(draw, targets),
    asks: projects.flatMap((project) => asksFor(draw, project, faultsUntilMs)),
    strengths: { ...strengthsOf(draw), ...strengthsOfMetrics(seed) },
    faultsUntilMs,
    startsAtBoot: draw.chance(0.5),
  };
  const policy = { ...scenario.policy, ...zoneFloorOf(draw, targets), ...approvalsOf(seed) };
  const withOwn = projects.map((project) => withHooks(seed, withScripts(seed, withSteps(draw, project))));
  const judged = withOwn.map((project) => withAnalysis(seed, project));
  return { ...scenario, policy: withVerdicts(seed, policy), projects: judged };
}

/** Each fault is in about half of the seeds; some seeds have few, and some those of a theme. */
function strengthsOf(draw: Draw): Strengths {
  const share = draw.pick([0.1, 0.3, 0.5, 0.8]);
  const kinds = FAULT_KINDS.filter(
    (kind) => !Object.hasOwn(STRONGEST_OF_METRICS, kind) && draw.chance(share),
  );
  const drawn = kinds.map((kind) => [kind, STRONGEST[kind] * draw.pick([0.2, 0.5, 1])]);
  return { ...Object.fromEntries(drawn), ...(draw.chance(0.15) && draw.pick(THEMES)) };
}

/** Faults that seldom come together by themselves, and do the worst when they do. */
const THEMES: readonly Strengths[] = [
  // A worker dies, and what it had sent arrives after what its successor sent.
  { 'worker.crash': 0.3, 'crash.before-call': 0.02, 'balancer.slow': 0.5, 'death.unproven': 0 },
  // A worker goes silent, its successor dies, and what the first had sent still waits at the balancer.
  {
    ...{ 'board.cut-off': 0.1, 'worker.crash': 0.2, 'balancer.queues': 0.3, 'death.unproven': 0 },
    ...{ 'balancer.forgets-drains': 0.1 },
  },
  // Processes stand still for longer than their leases, and go on with what they had in mind.
  { 'process.pause': 0.3, 'server.pause': 0.02, 'balancer.slow': 0.2, 'balancer.forgets-drains': 0.05 },
  // Much ends badly, and many people decide on it, who do not know of each other.
  {
    ...{ 'person.is-late': 0.9, 'person.resolves': 0.5, 'person.skips': 0.3, 'person.resumes': 0.1 },
    ...{ 'command.fails': 0.1, 'command.slow': 0.2, 'host.supervisor-killed': 0.3 },
    ...{ 'balancer.refused': 0.1, 'board.cut-off': 0.05 },
  },
];

function targetsOf(
  draw: Draw,
  projects: readonly string[],
  zones: readonly string[],
): readonly ScenarioTarget[] {
  const count = draw.chance(0.1) ? draw.int(12, 60) : draw.int(2, 10);
  const [isPerZone, isAlone, hasSecond] = [draw.chance(0.4), draw.chance(0.05), draw.chance(0.25)];
  /** So many of them are in a second pool as well, on another device. */
  const inSecond = hasSecond ? draw.int(2, count) : 0;
  const perhaps = draw.pick([0, 0.1, 0.25]);
  return Array.from({ length: Math.max(count, projects.length) }, (_, n): ScenarioTarget => {
    const zone = zones[n % zones.length] ?? 'dc-1';
    const first = { balancer: 'lb-1.example:9999', pool: isPerZone ? `pool-${zone}` : 'pool' };
    const second = { balancer: 'lb-2.example:9999', pool: 'second' };
    return {
      name: `t${n + 1}`,
      project: projects[n % projects.length] ?? 'web',
      zone,
      members: isAlone ? [] : n < inSecond ? [first, second] : [first],
      found: draw.chance(perhaps) ? draw.pick(['disabled', 'stopped', 'new'] as const) : 'serves',
    };
  });
}

const NATURES: readonly Nature[] = ['good', 'good', 'good', 'sick', 'flaps', 'does-not-start'];

function projectOf(draw: Draw, name: string): ScenarioProject {
  const health = {
    passes: draw.int(2, 4),
    intervalMs: draw.pick([300, 1_000, 2_000]),
    windowMs: draw.int(8_000, 30_000),
  };
  return {
    name,
    releases: [
      { version: '1.0.0', nature: 'good' },
      { version: '2.0.0', nature: draw.chance(0.65) ? 'good' : draw.pick(NATURES) },
      { version: '3.0.0', nature: draw.chance(0.65) ? 'good' : draw.pick(NATURES) },
    ],
    strategy: {
      canary: draw.pick([0, 1, 1, 2, '20%']),
      batches: draw.pick([['10%', '25%', '50%', '100%'], ['50%', '100%'], '100%', 2, ['100%']]),
      zones: draw.pick(['in-order', 'side-by-side']),
      others: draw.chance(0.8),
      parallel: draw.pick([1, 2, 5, 20]),
      settleMs: draw.pick([0, 500, 2_000]),
      // biome-ignore lint/suspicious/noThenProperty: the word of the strategy file; nothing awaits it
      drain: { timeoutMs: draw.pick([3_000, 10_000, 30_000]), then: draw.pick(['force', 'force', 'stop']) },
    },
    health,
  };
}

/** Some teams have steps of their own. */
function withSteps(draw: Draw, project: ScenarioProject): ScenarioProject {
  if (!draw.chance(0.25)) return project;
  const { passes, intervalMs, windowMs } = project.health;
  const command = (id: string, program: string) => ({
    ...{ id, action: 'host.run@1', with: { argv: [program, id], cwd: '/' } },
    ...{ onUnknown: draw.pick(['ask', 'retry']), retries: { max: draw.int(0, 2), backoffMs: 500 } },
  });
  const soak = (ms: Json) => ({ id: 'soak', action: 'wait.settle@1', with: { ms } });
  const own = {
    change: command('change', CHANGE),
    tell: { ...command('tell', TELL), whileServing: true },
    look: { id: 'look', action: 'health.verify@1', with: { check: CHECK, passes, intervalMs, windowMs } },
  };
  const list: Json[] = [...CYCLE];
  const put = (step: Json, after: Json): void => {
    list.splice(list.indexOf(after) + 1, 0, step);
  };
  const changed = draw.chance(0.7) ? draw.pick(['drain', 'stop', 'install', 'start'] as const) : undefined;
  if (changed) put(own.change, changed);
  if (draw.chance(0.5)) put(own.tell, draw.pick(CYCLE));
  if (draw.chance(0.3)) put(soak(draw.int(100, 5_000)), draw.pick(CYCLE));
  else if (changed && draw.chance(0.5)) put(soak({ from: 'change', output: 'outputBytes' }), own.change);
  if (draw.chance(0.3)) put(own.look, draw.pick(['start', 'verify', 'enable', 'settle'] as const));
  return { ...project, strategy: { ...project.strategy, steps: { datacenter: list } } };
}

/** Some of their steps are scripts, one of which takes what the other gives. Drawn by itself, as hooks are. */
function withScripts(seed: number, project: ScenarioProject): ScenarioProject {
  const draw = new Draw(seed ^ 0x68e31da4);
  if (!draw.chance(0.25)) return project;
  const { steps } = project.strategy as { readonly steps?: { readonly datacenter: readonly Json[] } };
  const list: Json[] = [...(steps?.datacenter ?? CYCLE)];
  const rest = () => ({
    onUnknown: draw.pick(['ask', 'retry']),
    retries: { max: draw.int(0, 2), backoffMs: 500 },
  });
  const count = { id: 'count', script: 'count', ...rest(), onUnknown: 'ask' };
  const move = { id: 'move', script: 'move', with: { rows: { from: 'count', output: 'rows' } }, ...rest() };
  list.splice(list.indexOf(draw.pick(['stop', 'install', 'start'] as const)) + 1, 0, count, move);
  return { ...project, strategy: { ...project.strategy, steps: { datacenter: list } } };
}

/** Some have what runs around them. Drawn by itself, so that a seed is otherwise what it was before there were hooks. */
function withHooks(seed: number, project: ScenarioProject): ScenarioProject {
  const draw = new Draw(seed ^ 0x1b873593);
  if (!draw.chance(0.3)) return project;
  const hooks = HOOK_PLACES.flatMap((at): readonly Json[] => {
    if (!draw.chance(0.35)) return [];
    const rest = { at, verbs: draw.pick([['deploy'], ['deploy', 'restart', 'rollback']]) };
    if (draw.chance(0.2))
      return [{ id: at, ...rest, action: 'wait.settle@1', with: { ms: draw.int(100, 5_000) } }];
    const retries = { max: draw.int(0, 2), backoffMs: 500 };
    if (draw.chance(0.3)) return [{ id: at, ...rest, script: 'move', retries }];
    const onUnknown = draw.pick(['ask', 'retry']);
    return [{ id: at, ...rest, action: 'host.run@1', with: { argv: [TELL, at] }, retries, onUnknown }];
  });
  return hooks.length > 0 ? { ...project, strategy: { ...project.strategy, hooks } } : project;
}

const policyOf = (draw: Draw, targets: readonly ScenarioTarget[]): Scenario['policy'] => ({
  minInService: draw.pick(FLOORS.filter((floor) => leavesOne(targets, floor))),
  maxFailures: draw.chance(0.5)
    ? {}
    : { batch: draw.pick(BUDGETS), zone: draw.pick(BUDGETS), deployment: draw.pick(BUDGETS) },
  onFailure: {
    health: draw.pick(['rollback', 'rollback', 'pause', 'abort']),
    other: draw.pick(['pause', 'rollback', 'abort']),
  },
  capacityWaitMs: draw.pick([0, 20_000, 120_000]),
  holdLimitMs: draw.pick([120_000, 86_400_000]),
});

const BUDGETS = [
  { count: 1 },
  { count: 2 },
  { percent: 20 },
  { percent: 40 },
  { count: 3, percent: 60 },
] as const;
const FLOORS = ['75%', '75%', '50%', '25%', 1, 0] as const;

const ZONE_FLOORS = ['67%', '50%', '34%', 2, 1] as const;

/** In most of the seeds whose zones have members to spare; of a single zone it says little. */
function zoneFloorOf(draw: Draw, targets: readonly ScenarioTarget[]): Scenario['policy'] {
  const isZoned = new Set(targets.map(({ zone }) => zone)).size > 1;
  const floors = ZONE_FLOORS.filter((floor) => leavesOne(targets, floor, placeOf));
  return floors.length > 0 && draw.chance(isZoned ? 0.9 : 0.2)
    ? { minInServicePerZone: draw.pick(floors) }
    : {};
}

/** Drawn by itself, so that a seed is otherwise what it was before there were approvals. */
function approvalsOf(seed: number): Scenario['policy'] {
  const draw = new Draw(seed ^ 0x2545f491);
  if (!draw.chance(0.25)) return {};
  const limitMs = draw.pick([45_000, 240_000, 86_400_000, 86_400_000]);
  return { approvals: { count: draw.pick([1, 2, 2, 3]), limitMs } };
}

const placeOf = ({ project, zone }: ScenarioTarget): string => `${project}/${zone}`;

/** Whether each pool, or each part of one, has a member to spare: with none, a plan is refused and nothing happens. */
function leavesOne(
  targets: readonly ScenarioTarget[],
  floor: number | string,
  partOf: (target: ScenarioTarget) => string = () => '',
): boolean {
  const all = targets.flatMap((target) =>
    (target.members.length > 0 ? target.members : [{ pool: '' }]).map(({ pool }) => ({
      ...{ found: target.found, part: `${pool}/${partOf(target)}` },
    })),
  );
  return [...Map.groupBy(all, ({ part }) => part).values()].every((of) => {
    const serving = of.filter(({ found }) => found === 'serves').length;
    const least =
      typeof floor === 'number' ? floor : Math.ceil((of.length * Number.parseInt(floor, 10)) / 100);
    return floor === 0 || serving > least;
  });
}

function asksFor(draw: Draw, { name, releases }: ScenarioProject, untilMs: number): readonly Ask[] {
  const count = draw.pick([1, 1, 2, 3]);
  return Array.from({ length: count }, (_, n): Ask => {
    const atMs = n === 0 ? draw.int(0, 5_000) : draw.int(5_000, untilMs + 60_000);
    const place = { atMs, project: name, hard: draw.chance(0.05) };
    if (n > 0 && draw.chance(0.25)) return { ...place, verb: 'restart' };
    if (n > 0 && draw.chance(0.15)) return { ...place, verb: 'rollback' };
    return { ...place, verb: 'deploy', version: draw.pick(releases.slice(1)).version };
  });
}
