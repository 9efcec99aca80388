import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  environment,
  pool,
  project,
  projectEnvironment,
  release,
  request,
  script,
  targets,
} from '../../../test/fixtures/configuration.ts';
import { deploymentId } from '../../domain/ids.ts';
import type { Plan } from '../../domain/plan.ts';
import type { PlanSimulation, StepOdds } from '../../domain/plan-simulation.ts';
import { buildPlan } from '../../plan/build-plan.ts';
import type { PlanRequest } from '../../plan/request.ts';
import { planRollback } from '../../plan/rollback.ts';
import { oddsOf } from '../../plan/step-odds.ts';
import { datacenter } from '../../platforms/datacenter/plan.ts';
import { runPlan } from './run-plan.ts';
import type { PlanRun } from './run-watch.ts';

type Odds = (odds: readonly StepOdds[]) => readonly StepOdds[];
/** Nothing goes wrong. */
const calm: Odds = (odds) => odds.map((one) => ({ ...one, mishaps: {} }));
/** One step does what it seldom does, always. */
const always =
  (step: string, mishap: keyof StepOdds['mishaps'], share = 1): Odds =>
  (odds) =>
    calm(odds).map((one) =>
      one.step === step ? { ...one, mishaps: { [mishap]: { share, met: 0, of: 0 } } } : one,
    );

function simulation(plan: Plan, more: Partial<PlanSimulation> = {}, odds: Odds = calm): PlanSimulation {
  return {
    ...{ plan, pools: [], parked: [], returning: [], seed: 1, runs: { good: 1, bad: 1 } },
    odds: odds(oddsOf(plan, { here: [], fleet: [] })),
    ...more,
  };
}

const members = (count: number) => targets(count).map(({ name }) => String(name));

function planned(parts: Partial<PlanRequest> = {}, odds: Odds = calm): PlanSimulation {
  const asked = request(parts);
  return simulation(buildPlan(asked, datacenter).plan, { pools: asked.pools }, odds);
}

const run = (request: PlanSimulation, kind: 'good' | 'bad' = 'good', seed = 1): Promise<PlanRun> =>
  runPlan({ request, seed, release: kind });

async function ends(request: PlanSimulation, kind: 'good' | 'bad' = 'good', seed = 1): Promise<PlanRun> {
  const result = await run(request, kind, seed);
  assert.equal(result.violation, null);
  return result;
}

const SCRIPTED: Partial<PlanRequest> = {
  scripts: [
    script({
      name: 'count',
      outputs: { ms: { type: 'integer' }, key: { type: 'string', pattern: '[a-f]{8}' } },
    }),
    script({ name: 'move', parameters: { key: { type: 'string', pattern: '[a-f]{8}' } } }),
  ],
  projectEnvironment: projectEnvironment({
    strategy: {
      steps: {
        datacenter: [
          ...['guard', 'drain', 'stop', 'install', { id: 'count', script: 'count' }],
          { id: 'move', script: 'move', with: { key: { from: 'count', output: 'key' } } },
          { id: 'rest', action: 'wait.settle@1', with: { ms: { from: 'count', output: 'ms' } } },
          ...['start', 'verify', 'enable'],
        ],
      },
    },
  }),
};

describe('a run of a plan', () => {
  test('runs scripts for as long as they took, whatever they take and give, and has them fail as they did', async () => {
    assert.equal((await ends(planned(SCRIPTED))).ending, 'succeeded');
    assert.notEqual((await ends(planned(SCRIPTED, always('move', 'fails')))).ending, 'succeeded');
  });

  test('is that plan: every target, down to the floor and no further', async () => {
    const { ending, touched, ran, lowest, durationMs } = await ends(planned());
    assert.deepEqual(
      { ending, touched, ran, lowest },
      { ending: 'succeeded', touched: 8, ran: 8, lowest: [6] },
    );
    assert.ok(durationMs > 60_000, `${durationMs}`);
  });

  test('stops a release that never becomes healthy at its canary, and rolls it back', async () => {
    const { ending, touched, ran, served, lowest } = await ends(planned(), 'bad');
    assert.deepEqual([ending, touched, ran, served, lowest], ['rolled-back', 1, 1, 0, [7]]);
  });

  test('shows who notices a bad release: without a health check the balancer, without either nobody', async () => {
    const { health: _, ...bare } = project();
    const { ending, ran, served } = await ends(planned({ project: bare }), 'bad');
    assert.deepEqual([ending, ran, served], ['rolled-back', 1, 0]);
    const alone = projectEnvironment({ targets: targets(8).map(({ member: _none, ...target }) => target) });
    const unseen = await ends(planned({ project: bare, projectEnvironment: alone, pools: [] }), 'bad');
    assert.deepEqual([unseen.ending, unseen.ran], ['succeeded', 8]);
  });

  test('looks at a bad release by a command as often as its window allows', async () => {
    const health = { check: { kind: 'command', argv: ['bin/check'] }, intervalMs: 250, windowMs: 60_000 };
    const { ending, ran } = await ends(planned({ project: project({ health }) }), 'bad');
    assert.deepEqual([ending, ran], ['rolled-back', 1]);
  });

  test('is the same again with the same seed, and another one with another', async () => {
    const usual: Odds = (odds) => odds;
    const first = await run(planned({}, usual), 'good', 8);
    assert.deepEqual(await run(planned({}, usual), 'good', 8), first);
    assert.notDeepEqual(await run(planned({}, usual), 'good', 9), first);
  });

  for (const [step, mishap, ending] of [
    ['stop', 'fails', 'held'],
    ['install', 'fails', 'held'],
    ['start', 'hangs', 'held'],
    ['start', 'lost', 'held'],
    ['stop', 'unreachable', 'held'],
    ['verify', 'unwell', 'rollback-failed'],
    ['drain', 'stays', 'succeeded'],
    ['enable', 'not-up', 'rollback-failed'],
  ] as const) {
    test(`${step}: ${mishap} on every target ends it ${ending}`, async () => {
      assert.equal((await ends(planned({}, always(step, mishap)))).ending, ending);
    });
  }

  test('obeys the policy of the plan', async () => {
    const policy = { onFailure: { health: 'abort', other: 'abort' } };
    const placed = projectEnvironment({ policy });
    const { ending } = await ends(planned({ projectEnvironment: placed }), 'bad');
    assert.equal(ending, 'aborted');
  });

  test('knows members by their names, several of a target, and checks of every kind', async () => {
    const pools = ['web', 'admin'];
    const twice = targets(4).map(({ member: _, ...target }, index) => ({
      ...target,
      members: pools.map((name) => ({ pool: name, member: `10.0.0.${index}:80` })),
    }));
    const seen = pools.map((name) => ({
      ...{ balancer: 'lb:9999', pool: name },
      members: [0, 1, 2, 3].map(
        (n) => ({ member: `10.0.0.${n}:80`, admin: 'enabled', health: 'up' }) as const,
      ),
    }));
    const checks = [
      { kind: 'tcp' },
      { kind: 'command', argv: ['bin/healthy'] },
      { kind: 'http', path: '/health', status: 204, body: 'ok', version: { jsonPath: 'build.version' } },
      { kind: 'http', path: '/health', version: { header: 'X-Version' } },
    ];
    for (const check of checks) {
      const parts = { projectEnvironment: projectEnvironment({ targets: twice }), pools: seen };
      const { ending, lowest } = await ends(planned({ ...parts, project: project({ health: { check } }) }));
      assert.deepEqual([check.kind, ending, lowest], [check.kind, 'succeeded', [3, 3]]);
    }
  });

  test('runs commands of a project of its own', async () => {
    const commands = {
      start: ['systemctl', 'restart', 'web'],
      stop: ['true'],
      install: ['./install', '--quiet'],
    };
    const { ending, ran } = await ends(planned({ project: project({ commands }) }));
    assert.deepEqual([ending, ran], ['succeeded', 8]);
  });

  test('counts what is out already, and what other deployments hold until they return it', async () => {
    const names = [...members(8), 'api-1', 'api-2'];
    const api = ['api-1', 'api-2'].map((member) => ({ balancer: 'lb:9999', pool: 'web', member }));
    const asked = request({ pools: [pool(names, ['api-1', 'api-2'])], heldByOthers: api });
    const { plan } = buildPlan(asked, datacenter);
    const waited = await ends(simulation(plan, { pools: asked.pools, returning: api }));
    assert.equal(waited.ending, 'succeeded');
    const { ending } = await ends(simulation(plan, { pools: asked.pools }));
    assert.equal(ending, 'held', 'nobody brings them back');
  });

  test('takes parked targets back, and leaves alone what people disabled', async () => {
    const before = release('1.0.0').id;
    const fleet = members(8).map((target) => ({ target, before, parked: target === 'web-3', running: true }));
    const asked = request({ fleet, pools: [pool(members(8), ['web-3', 'web-8'])] });
    const placed = projectEnvironment({ policy: { minInService: '50%' } });
    const { plan } = buildPlan({ ...asked, projectEnvironment: placed }, datacenter);
    const parked = [{ balancer: 'lb:9999', pool: 'web', member: 'web-3' }];
    const { ending, served } = await ends(simulation(plan, { pools: asked.pools, parked }));
    assert.deepEqual([ending, served], ['succeeded', 7]);
  });

  test('may be a restart, a hard one, zones side by side, or a rollback', async () => {
    const zoned = {
      environment: environment({
        zones: [
          { name: 'east', pool: 'east' },
          { name: 'west', pool: 'west' },
        ],
      }),
      projectEnvironment: projectEnvironment({
        targets: targets(8, (index) => ({ zone: index < 4 ? 'east' : 'west' })),
        strategy: { zones: 'side-by-side' },
      }),
    };
    for (const parts of [{ verb: 'restart', release: null }, { hard: true }, zoned] as const)
      assert.equal((await ends(planned(parts))).ending, 'succeeded');
    const { plan } = buildPlan(request(), datacenter);
    const touched = [0, 1, 2].map((target) => ({ target, held: false }));
    const back = planRollback({ id: deploymentId('d-1'), plan, touched }, 'it failed');
    assert.ok(back);
    assert.equal((await ends(simulation(back, { pools: request().pools }))).ending, 'succeeded');
  });

  test('survives the crashes of its processes, wherever they live', async () => {
    const often: Odds = (odds) => odds;
    for (let seed = 1; seed <= 24; seed += 1) {
      const { violation } = await run(planned({}, often), seed % 3 === 0 ? 'bad' : 'good', seed);
      assert.equal(violation, null, `seed ${seed}`);
    }
  });
});
