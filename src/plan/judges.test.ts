import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  environment,
  pool,
  project,
  projectEnvironment,
  request,
  targets,
} from '../../test/fixtures/configuration.ts';
import type { Plan, PlanTarget } from '../domain/plan.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import { explain } from './explain.ts';
import { renderPlan } from './render.ts';
import type { PlanRequest } from './request.ts';
import { planRollback } from './rollback.ts';

const METRICS = { prometheus: { kind: 'prometheus', url: 'https://prometheus.example.net' } };
const errors = {
  name: 'errors',
  source: 'prometheus',
  query: 'sum by (instance) (increase(failed[{{window}}]))',
  of: 'sum by (instance) (increase(requests[{{window}}]))',
};
const analysis = { metrics: [errors] };
const judged: Partial<PlanRequest> = {
  project: project({ analysis }),
  environment: environment({ metrics: METRICS }),
};
const planned = (parts: Partial<PlanRequest> = {}) => buildPlan(request({ ...judged, ...parts }), datacenter);

const judges = ({ targets: all }: Plan): readonly PlanTarget[] =>
  all.filter(({ name }) => name.startsWith('judge:'));
const batches = ({ stages }: Plan) =>
  stages.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.batches.map(({ name }) => name)));

/** What is compared with what, by the judge of this name. */
function pairsOf(plan: Plan, name = 'judge'): readonly string[] {
  const input = plan.sequences[name]?.[0]?.inputs.pairs;
  assert.ok(input && 'value' in input);
  const nameOf = (side: Json | undefined) => (side as JsonObject).name;
  return (input.value as readonly JsonObject[]).map(
    (pair) => `${nameOf(pair.canary)}/${nameOf(pair.baseline)}`,
  );
}

test('a canary is judged before anything else changes, against a server that changes last', () => {
  const { plan } = planned();
  assert.deepEqual(batches(plan).slice(0, 3), ['canary', 'judge', '25%']);
  assert.deepEqual(pairsOf(plan), ['web-1/web-8']);
  assert.deepEqual(
    judges(plan).map(({ name, hook, pool: workers }) => ({ name, hook, workers })),
    [{ name: 'judge:canary', hook: true, workers: 'default' }],
  );
  assert.deepEqual(plan.policy.onFailure, {
    ...{ health: 'rollback', other: 'pause' },
    ...{ canary: 'rollback', unsure: 'pause', noData: 'pause' },
  });
});

test('a server of the canary is compared with one of the same pools, and with one twice where there are too few', () => {
  const inPools = targets(8, (index) => ({ member: `${index % 2 === 0 ? 'even' : 'odd'}/web-${index + 1}` }));
  const names = (from: number) => [0, 2, 4, 6].map((index) => `web-${index + from}`);
  const pools = [
    { ...pool(names(1)), pool: 'even' },
    { ...pool(names(2)), pool: 'odd' },
  ];
  const parts = {
    projectEnvironment: projectEnvironment({ targets: inPools, strategy: { canary: 5 } }),
    pools,
  };
  assert.deepEqual(pairsOf(planned(parts).plan), [
    'web-1/web-7',
    'web-2/web-8',
    'web-3/web-7',
    'web-4/web-6',
    'web-5/web-7',
  ]);
});

test('zones side by side have a judge each, of their own servers', () => {
  const zones = [{ name: 'east' }, { name: 'west', pool: 'west' }];
  const { plan } = planned({
    environment: environment({ metrics: METRICS, zones }),
    projectEnvironment: projectEnvironment({
      targets: targets(8, (index) => ({ zone: index < 4 ? 'east' : 'west' })),
      strategy: { zones: 'side-by-side' },
    }),
  });
  assert.deepEqual(pairsOf(plan), ['web-1/web-4']);
  assert.deepEqual(pairsOf(plan, 'judge 2'), ['web-5/web-8']);
  assert.deepEqual(
    judges(plan).map(({ name, pool: workers }) => [name, workers]),
    [
      ['judge:canary', 'default'],
      ['judge:canary:2', 'west'],
    ],
  );
});

test('the hooks of a batch are run around batches, and not around a judge', () => {
  const hook = { id: 'smoke', at: 'after-batch', action: 'host.run@1', with: { argv: ['true'] } };
  const { plan } = planned({ projectEnvironment: projectEnvironment({ strategy: { hooks: [hook] } }) });
  assert.deepEqual(batches(plan).slice(0, 4), ['canary', 'smoke after canary', 'judge', '25%']);
});

for (const [what, parts] of [
  ['a restart', { verb: 'restart', release: null }],
  ['a hard deployment', { hard: true }],
  [
    'a project whose canary is switched off',
    { environment: environment({ metrics: METRICS, canary: false }) },
  ],
] as const)
  test(`${what} has no judge`, () => {
    const { plan, notes } = planned(parts);
    assert.deepEqual(judges(plan), []);
    const isTold = notes.some(({ code }) => code === 'canary_unjudged');
    assert.equal(isTold, what.includes('switched off'));
  });

test('where nothing is measured a canary is not judged, and the plan says so', () => {
  const { plan, notes } = planned({ environment: environment() });
  assert.deepEqual(judges(plan), []);
  const [note] = notes.filter(({ code }) => code === 'canary_unjudged');
  assert.match(note?.message ?? '', /names no source of metrics/);
});

const counted: Partial<PlanRequest> = {
  project: project({ analysis: { metrics: [{ name: 'errors', source: 'balancer' }] } }),
  environment: environment(),
};
const inputsOf = ({ sequences }: Plan, name = 'judge') => sequences[name]?.[0]?.inputs ?? {};

test('where nothing is measured it is judged by what the balancers count, and told what its servers are there', () => {
  const { plan, notes } = planned(counted);
  assert.deepEqual(pairsOf(plan), ['web-1/web-8']);
  assert.ok(!notes.some(({ code }) => code === 'canary_unjudged'));
  const { members, balancers, sources } = inputsOf(plan);
  assert.ok(members && 'value' in members && balancers && 'value' in balancers);
  const [first, last] = [plan.targets[0], plan.targets[7]];
  assert.deepEqual(members.value, { 'web-1': first?.members, 'web-8': last?.members });
  assert.deepEqual(Object.keys(balancers.value as JsonObject), [
    ...new Set(first?.members.map(({ balancer }) => balancer)),
  ]);
  assert.deepEqual(sources, { value: {} });
  const text = renderPlan(explain(planned(counted)));
  assert.match(
    text,
    /compare web-1 with web-8 by errors \(of requests, as the balancer counts them\), looking/,
  );
});

test('what it is not judged by it is not told of', () => {
  const { members, balancers } = inputsOf(planned().plan);
  assert.deepEqual([members, balancers], [undefined, undefined]);
});

test('metrics of sources and of balancers are judged together, where there are sources', () => {
  const both = { metrics: [errors, { name: 'counted', source: 'balancer' }] };
  const { plan } = planned({ project: project({ analysis: both }) });
  const { members, sources } = inputsOf(plan);
  assert.ok(members && sources && 'value' in sources);
  assert.deepEqual(Object.keys(sources.value as JsonObject), ['prometheus']);
  const without = planned({ project: project({ analysis: both }), environment: environment() });
  assert.deepEqual(judges(without.plan), []);
  const [note] = without.notes.filter(({ code }) => code === 'canary_unjudged');
  assert.match(note?.message ?? '', /names no source of metrics/);
});

test('a plan whose balancers would count more than a judge can keep is refused', () => {
  const analysis = { metrics: [{ name: 'errors', source: 'balancer' }], stepMs: 10_000, mostMs: 3_600_000 };
  assert.throws(() => planned({ ...counted, project: project({ analysis }) }), {
    code: 'config_invalid',
    message: /What balancers count of 2 members in 360 steps is more than a judge can keep/,
  });
});

test('servers that are in no pool are judged by nothing that balancers count', () => {
  const alone = projectEnvironment({
    targets: targets(8).map(({ member: _, ...target }) => target),
    policy: { minInService: 0 },
  });
  assert.throws(() => planned({ ...counted, projectEnvironment: alone, pools: [] }), {
    code: 'config_reference',
    message: /No server of the canary is a member of a pool/,
  });
  const { plan, notes } = planned({
    ...counted,
    environment: environment({ balancers: {} }),
    ...{ projectEnvironment: alone, pools: [] },
  });
  assert.deepEqual(judges(plan), []);
  const [note] = notes.filter(({ code }) => code === 'canary_unjudged');
  assert.match(note?.message ?? '', /no balancer that could count its errors/);
});

test('a canary with nothing to compare it with is not judged, and the plan says so', () => {
  const { plan, notes } = planned({
    projectEnvironment: projectEnvironment({ strategy: { canary: 8 }, policy: { minInService: 0 } }),
  });
  assert.deepEqual(judges(plan), []);
  assert.ok(notes.some(({ code }) => code === 'canary_unjudged'));
});

test('what its team lets pass is for the judge to know, and no failure', () => {
  const policy = { onFailure: { canary: 'abort', unsure: 'continue', noData: 'continue' } };
  const { plan } = planned({ environment: environment({ metrics: METRICS, policy }) });
  assert.deepEqual(plan.sequences.judge?.[0]?.inputs.goOn, { value: ['unsure', 'no data'] });
  assert.deepEqual(plan.policy.onFailure, { health: 'rollback', other: 'pause', canary: 'abort' });
});

test('an environment judges by its own metrics, and one that has not their source refuses the plan', () => {
  const own = { metrics: [{ ...errors, name: 'own', source: 'graphite' }] };
  const parts = { projectEnvironment: projectEnvironment({ analysis: own }) };
  assert.throws(() => planned(parts), { code: 'config_reference' });
});

test('a rollback has no judge of its own', () => {
  const { plan } = planned();
  const id = 'd1' as Parameters<typeof planRollback>[0]['id'];
  const back = planRollback({ id, plan, touched: [{ target: 0, held: true }] }, 'because');
  assert.ok(back);
  assert.deepEqual(judges(back), []);
});

test('people read what is compared with what, by what, and for how long', () => {
  const text = renderPlan(explain(planned()));
  assert.match(text, /judge: judge:canary\n/);
  assert.match(
    text,
    /compare web-1 with web-8 by errors \(prometheus\), looking after each 60 s for up to 60 min/,
  );
  assert.match(
    text,
    /the canary is worse → rollback; nobody can say → pause; nothing to judge it by → pause/,
  );
});
