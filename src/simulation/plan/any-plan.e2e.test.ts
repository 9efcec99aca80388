import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  environment,
  projectEnvironment,
  release,
  request,
  targets,
} from '../../../test/fixtures/configuration.ts';
import { asEdgeError } from '../../domain/errors.ts';
import { HOOK_PLACES } from '../../domain/hook.ts';
import type { Plan } from '../../domain/plan.ts';
import type { PlanSimulation } from '../../domain/plan-simulation.ts';
import { buildPlan } from '../../plan/build-plan.ts';
import type { PoolSeen } from '../../plan/pools.ts';
import type { PlanRequest } from '../../plan/request.ts';
import { oddsOf } from '../../plan/step-odds.ts';
import { datacenter } from '../../platforms/datacenter/plan.ts';
import { Draw } from '../draw.ts';
import { runPlan } from './run-plan.ts';

const PLANS = 40;
const AT_ONCE = 5;

/** Any plan: zones, several pools, others in the same pool, members down or disabled, parked ones, and much that goes wrong. */
function anySimulation(seed: number): PlanSimulation | null {
  const draw = new Draw(seed);
  const zones = draw.pick([['a'], ['a', 'b'], ['a', 'b', 'c']]).map((name) => ({ name, pool: `dc-${name}` }));
  const count = draw.int(4, 14);
  const pools = draw.pick([['web'], ['web', 'api']]);
  const parkedName = draw.chance(0.3) ? 'web-2' : null;
  const configured = targets(count, (index) => {
    const members = pools.map((pool) => ({ pool, member: `m-${index + 1}` }));
    return { zone: zones[index % zones.length]?.name, member: undefined, members };
  }).map(({ member: _, ...target }) => target);
  const seen = pools.map((pool): PoolSeen => {
    const all = [...configured.map((_, index) => `m-${index + 1}`), 'other-1', 'other-2'];
    return {
      ...{ balancer: 'lb:9999', pool },
      members: all.map((member) => ({
        member,
        admin: (parkedName && member === 'm-2') || draw.chance(0.03) ? 'offline' : 'enabled',
        health: draw.chance(0.03) ? 'down' : 'up',
      })),
    };
  });
  const before = release('1.0.0').id;
  const fleet = configured.map((target) => {
    const name = String((target as { readonly name: string }).name);
    return { target: name, before, parked: name === parkedName, running: true };
  });
  const parts: Partial<PlanRequest> = {
    ...{ pools: seen, fleet, environment: environment({ zones }), hard: draw.chance(0.1) },
    ...(draw.chance(0.2) ? { verb: 'restart' as const, release: null } : {}),
    projectEnvironment: projectEnvironment({
      targets: configured,
      strategy: {
        ...{ canary: draw.pick([0, 1, 2]), batches: draw.pick([1, 3, '50%', ['25%', '100%']]) },
        zones: draw.pick(['in-order', 'side-by-side']),
        ...hooksOf(seed),
        // biome-ignore lint/suspicious/noThenProperty: the word of the strategy file; nothing awaits it
        drain: { timeoutMs: draw.pick([5_000, 60_000]), then: draw.pick(['force', 'stop']) },
      },
      policy: {
        ...{ minInService: draw.pick([0, 1, '25%', '50%']), capacityWaitMs: 120_000 },
        onFailure: {
          health: draw.pick(['rollback', 'pause', 'abort']),
          other: draw.pick(['pause', 'rollback']),
        },
        maxFailures: draw.chance(0.5)
          ? {}
          : { batch: { count: 3 }, zone: { count: 3 }, deployment: { count: 4 } },
      },
    }),
  };
  const plan = planOf(parts);
  if (!plan) return null;
  const worse = draw.pick([1, 5, 20]);
  const odds = oddsOf(plan, { here: [], fleet: [] }).map((one) => ({
    ...one,
    mishaps: Object.fromEntries(
      Object.entries(one.mishaps).map(([mishap, known]) => [
        mishap,
        { ...known, share: known.share * worse },
      ]),
    ),
  }));
  const parked = plan.targets.filter(({ name }) => name === parkedName).flatMap(({ members }) => members);
  return { plan, odds, pools: seen, parked, returning: [], seed, runs: { good: 1, bad: 1 } };
}

/** Drawn by themselves, so that the other plans are what they were. */
function hooksOf(seed: number): { readonly hooks?: readonly object[] } {
  const draw = new Draw(seed ^ 0x1b873593);
  if (!draw.chance(0.4)) return {};
  const verbs = ['deploy', 'restart', 'rollback'];
  const hooks = HOOK_PLACES.filter(() => draw.chance(0.5)).map((at) => ({
    ...{ id: at, at, verbs, action: 'host.run@1', with: { argv: ['echo', at] } },
    ...(draw.chance(0.3) && { on: 'web-1' }),
  }));
  return hooks.length > 0 ? { hooks } : {};
}

/** `null`: its floor leaves nobody to spare, or all of it is out. */
function planOf(parts: Partial<PlanRequest>): Plan | null {
  try {
    return buildPlan(request(parts), datacenter).plan;
  } catch (thrown) {
    if (!/floor_impossible|plan_empty/.test(asEdgeError(thrown).code)) throw thrown;
    return null;
  }
}

const endings = new Map<string, number>();
let simulated = 0;

for (let from = 1; from <= PLANS; from += AT_ONCE) {
  test(`whatever the plan and whatever goes wrong, Edge keeps its promises: plans from ${from} on`, async () => {
    for (let seed = from; seed < from + AT_ONCE; seed += 1) await keepsPromises(seed);
  });
}

test('the plans were many, and their runs ended in many ways', () => {
  assert.ok(simulated > PLANS / 2, `${simulated} of ${PLANS} plans`);
  for (const ending of ['succeeded', 'rolled-back', 'held', 'aborted'])
    assert.ok((endings.get(ending) ?? 0) > 0, `${ending}: ${JSON.stringify([...endings])}`);
});

async function keepsPromises(seed: number): Promise<void> {
  const asked = anySimulation(seed);
  if (!asked) return;
  simulated += 1;
  for (const kind of ['good', 'bad'] as const) {
    const { violation, ending } = await runPlan({ request: asked, seed, release: kind });
    assert.equal(violation, null, `seed ${seed}, ${kind}: ${violation?.invariant} ${violation?.message}`);
    endings.set(ending, (endings.get(ending) ?? 0) + 1);
  }
}
