import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withEdgeApi } from '../../test/support/edge-api.ts';
import type { Output } from './contract.ts';

const PLACE = { project: 'web', environment: 'production', version: '2.0.0' };

test(
  'a simulation tells how far it is, ends with a report on that very plan, and touches nothing',
  withEdgeApi(async ({ admin, configure, store, balancer }) => {
    await configure(4, ['1.0.0', '2.0.0']);
    const before = balancer.look('web');
    const { hash } = await admin.plan(PLACE);
    const items: Output<'simulatePlan'>[] = [];
    for await (const item of admin.simulatePlan({ ...PLACE, runs: 15, seed: 3 })) items.push(item);
    const report = items.at(-1);
    assert.ok(report?.kind === 'report');
    assert.equal(report.planHash, hash);
    assert.deepEqual(
      report.cases.map(({ release, runs }) => [release, runs]),
      [
        ['good', 12],
        ['bad', 3],
      ],
    );
    assert.deepEqual(report.violations, []);
    const progress = items.slice(0, -1).map((item) => (item.kind === 'progress' ? item.done : -1));
    assert.deepEqual(
      progress,
      progress.toSorted((a, b) => a - b),
    );
    assert.deepEqual(await store.views.deployments({ limit: 10 }), []);
    assert.deepEqual(balancer.look('web'), before);
  }),
);

test(
  'a client that goes away ends its simulation, and the next one is served',
  withEdgeApi(async ({ admin, configure }) => {
    await configure(4, ['1.0.0']);
    const asked = { ...PLACE, version: '1.0.0' };
    const first = admin.simulatePlan({ ...asked, runs: 10_000 }, { giveUpAfterMs: 0 });
    for await (const item of first) if (item.kind === 'progress' && item.done > 0) break;
    for await (const item of admin.simulatePlan({ ...asked, runs: 1 }))
      if (item.kind === 'report') assert.equal(item.cases[0]?.runs, 1);
  }),
);

test(
  'what cannot be planned cannot be simulated, and what would take for ever is refused',
  withEdgeApi(async ({ admin, configure }) => {
    await configure(4, ['1.0.0']);
    const ask = async (input: object) => {
      for await (const _ of admin.simulatePlan({ ...PLACE, ...input })) return;
    };
    await assert.rejects(ask({ version: '9.9.9' }), { code: 'release_unknown' });
    await assert.rejects(ask({ version: '1.0.0', runs: 10_001 }), { code: 'request_invalid' });
  }),
);

test(
  'the forecast of a deployment says what it was learnt from',
  withEdgeApi(async ({ admin, configure, deploy, work }) => {
    await configure(4, ['1.0.0']);
    const deployment = await deploy('1.0.0');
    assert.match((await admin.deploymentForecast({ deployment })).forecast.basis, /^a guess$/);
    await work();
    const { forecast } = await admin.deploymentForecast({ deployment });
    assert.equal(forecast.basis, 'from 1 deployment here');
  }),
);
