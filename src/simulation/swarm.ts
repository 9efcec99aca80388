import { Draw } from './draw.ts';
import { FAULT_KINDS, type FaultKind, type Strengths } from './faults.ts';
import type { Ask, Nature, Scenario, ScenarioProject, ScenarioTarget } from './scenario.ts';

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
  'board.reply-lost': 0.03,
  'board.cut-off': 0.02,
  'crash.before-call': 0.002,
  'crash.after-call': 0.002,
  'server.crash': 0.06,
  'worker.crash': 0.06,
  'process.stops': 0.04,
  'process.pause': 0.06,
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
  const faultsUntilMs = draw.int(60_000, 400_000);
  return {
    seed,
    servers: draw.int(1, 3),
    zones,
    embedded: draw.chance(0.3),
    projects,
    targets,
    policy: policyOf(draw, targets),
    asks: projects.flatMap((project) => asksFor(draw, project, faultsUntilMs)),
    strengths: strengthsOf(draw),
    faultsUntilMs,
    startsAtBoot: draw.chance(0.5),
  };
}

/** Each fault is in about half of the seeds; some seeds have few. */
function strengthsOf(draw: Draw): Strengths {
  const share = draw.pick([0.1, 0.3, 0.5, 0.8]);
  const kinds = FAULT_KINDS.filter(() => draw.chance(share));
  return Object.fromEntries(kinds.map((kind) => [kind, STRONGEST[kind] * draw.pick([0.2, 0.5, 1])]));
}

function targetsOf(
  draw: Draw,
  projects: readonly string[],
  zones: readonly string[],
): readonly ScenarioTarget[] {
  const count = draw.chance(0.1) ? draw.int(12, 60) : draw.int(2, 10);
  const devices = draw.chance(0.2) ? ['lb-1.example:9999', 'lb-2.example:9999'] : ['lb-1.example:9999'];
  const [isPerZone, isAlone] = [draw.chance(0.4), draw.chance(0.05)];
  const perhaps = draw.pick([0, 0.1, 0.25]);
  return Array.from({ length: Math.max(count, projects.length) }, (_, n): ScenarioTarget => {
    const zone = zones[n % zones.length] ?? 'dc-1';
    const pool = isPerZone ? `pool-${zone}` : 'pool';
    return {
      name: `t${n + 1}`,
      project: projects[n % projects.length] ?? 'web',
      zone,
      members: isAlone ? [] : devices.map((balancer) => ({ balancer, pool })),
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

const policyOf = (draw: Draw, targets: readonly ScenarioTarget[]): Scenario['policy'] => ({
  minInService: draw.pick(FLOORS.filter((floor) => leavesOne(targets, floor))),
  maxFailures: draw.pick([{}, {}, { batch: { count: 2 }, zone: { count: 3 }, deployment: { percent: 40 } }]),
  onFailure: {
    health: draw.pick(['rollback', 'rollback', 'pause', 'abort']),
    other: draw.pick(['pause', 'rollback', 'abort']),
  },
  capacityWaitMs: draw.pick([20_000, 120_000]),
  holdLimitMs: draw.pick([120_000, 86_400_000]),
});

const FLOORS = ['75%', '75%', '50%', '25%', 1, 0] as const;

/** Whether each pool has a member to spare: with none, a plan is refused and nothing happens. */
function leavesOne(targets: readonly ScenarioTarget[], floor: number | string): boolean {
  const pools = Map.groupBy(targets, ({ members }) => members[0]?.pool ?? '');
  return [...pools.values()].every((of) => {
    const serving = of.filter(({ found }) => found === 'serves').length;
    const least =
      typeof floor === 'number' ? floor : Math.ceil((of.length * Number.parseInt(floor, 10)) / 100);
    return floor === 0 || serving > least;
  });
}

function asksFor(draw: Draw, { name, releases }: ScenarioProject, untilMs: number): readonly Ask[] {
  const count = draw.int(1, 3);
  return Array.from({ length: count }, (_, n): Ask => {
    const atMs = n === 0 ? draw.int(0, 5_000) : draw.int(5_000, untilMs + 60_000);
    const place = { atMs, project: name, hard: draw.chance(0.05) };
    if (n > 0 && draw.chance(0.25)) return { ...place, verb: 'restart' };
    if (n > 0 && draw.chance(0.15)) return { ...place, verb: 'rollback' };
    return { ...place, verb: 'deploy', version: draw.pick(releases.slice(1)).version };
  });
}
