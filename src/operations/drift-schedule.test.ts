import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, project, projectEnvironment, targets } from '../../test/fixtures/configuration.ts';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import type { EdgeClient } from '../api/client.ts';
import type { ClaimedTask } from '../ports/task-board.ts';
import { DriftSchedule } from './drift-schedule.ts';

const PLACE = { project: 'web', environment: 'production' } as const;
const HOUR_MS = 3_600_000;
const SAME = { differs: [], moreDiffers: 0, unknown: [], added: [], moreAdded: 0 };
const look = ({ step }: ClaimedTask) =>
  step === 'look' ? ({ kind: 'done', outputs: SAME } as const) : undefined;

async function scheduled(admin: EdgeClient, more: object): Promise<void> {
  const documents = [project(), environment(), { ...projectEnvironment({ targets: targets(3) }), ...more }];
  await admin.applyConfiguration({
    files: documents.map((document) => ({ path: `${document.kind}.yaml`, text: JSON.stringify(document) })),
  });
}

/** A server's schedule, and what it could not do. */
function scheduleOf({ ports }: EdgeApi) {
  const faults: (string | null)[] = [];
  return { faults, schedule: new DriftSchedule({ ports, onFault: (place) => faults.push(place) }) };
}

async function placed(edge: EdgeApi): Promise<void> {
  await edge.configure(3, ['2.0.0']);
  await edge.deploy('2.0.0');
  await edge.work();
  await scheduled(edge.admin, { drift: { everyMs: HOUR_MS } });
}
const looks = async ({ admin }: EdgeApi) => (await admin.deployments({ verb: 'drift' })).deployments;

test(
  'one look is begun in each interval, however many servers there are and however often they ask',
  withEdgeApi(async (edge) => {
    await placed(edge);
    const servers = [scheduleOf(edge), scheduleOf(edge), scheduleOf(edge)];
    const pass = () => Promise.all(servers.map(({ schedule }) => schedule.pass()));
    await pass();
    await pass();
    assert.deepEqual(
      (await looks(edge)).map(({ by, status }) => [by, status]),
      [['schedule', 'pending']],
    );
    await edge.work(look);
    edge.time.now += HOUR_MS - 1;
    await pass();
    assert.equal((await looks(edge)).length, 1);
    edge.time.now += 1;
    await pass();
    assert.equal((await looks(edge)).length, 2);
    assert.deepEqual([edge.faults, servers.flatMap(({ faults }) => faults)], [[], []]);
  }),
);

test(
  'none is begun while the one before runs, however late it is, nor for the looks of people',
  withEdgeApi(async (edge) => {
    await placed(edge);
    const { schedule } = scheduleOf(edge);
    await schedule.pass();
    edge.time.now += 3 * HOUR_MS;
    await schedule.pass();
    assert.equal((await looks(edge)).length, 1);
    await edge.work(look);
    await edge.admin.drift({ ...PLACE, targets: ['web-1'], reason: 'a glance' });
    await schedule.pass();
    assert.deepEqual((await looks(edge)).map(({ by }) => by).toSorted(), ['first', 'schedule', 'schedule']);
  }),
);

test(
  'looks of a clock that was ahead keep none back once it is right, and of several servers one begins each',
  withEdgeApi(async (edge) => {
    await placed(edge);
    const servers = [scheduleOf(edge), scheduleOf(edge), scheduleOf(edge)];
    const pass = async () => {
      await Promise.all(servers.map(({ schedule }) => schedule.pass()));
      await edge.work(look);
    };
    await pass();
    const now = edge.time.now;
    for (const ahead of [1_000, 1_002]) {
      edge.time.now = now + ahead * HOUR_MS;
      await pass();
    }
    assert.equal((await looks(edge)).length, 3);
    for (const [hours, count] of [
      [0.5, 3],
      [1.5, 4],
      [2, 4],
      [3, 5],
      [4.5, 6],
    ] as const) {
      edge.time.now = now + hours * HOUR_MS;
      await pass();
      await pass();
      assert.equal((await looks(edge)).length, count, `after ${hours} hours`);
    }
    assert.deepEqual([edge.faults, servers.flatMap(({ faults }) => faults)], [[], []]);
  }),
);

test(
  'nothing is begun where nothing is configured or nothing was put, and that is no fault',
  withEdgeApi(async (edge) => {
    const { schedule, faults } = scheduleOf(edge);
    await edge.configure(3, ['2.0.0']);
    await schedule.pass();
    await scheduled(edge.admin, { drift: { everyMs: HOUR_MS } });
    await schedule.pass();
    assert.deepEqual([await looks(edge), faults], [[], []]);
  }),
);

test(
  'a place whose inventory gives no answer is told of, and left alone for a while',
  withEdgeApi(async (edge) => {
    await placed(edge);
    const origin = 'the file /srv/hosts.json';
    const rows = ['web-1', 'web-2', 'web-3'].map((name) => ({ name, address: `${name}.example` }));
    edge.inventory.set(origin, JSON.stringify(rows));
    await scheduled(edge.admin, {
      ...{ targets: { from: 'file', path: '/srv/hosts.json' }, drift: { everyMs: HOUR_MS } },
    });
    edge.inventory.set(origin, undefined);
    const { schedule, faults } = scheduleOf(edge);
    await schedule.pass();
    await schedule.pass();
    assert.deepEqual(faults, ['web/production']);
    edge.time.now += 300_000;
    await schedule.pass();
    assert.equal(faults.length, 2);
    assert.deepEqual(await looks(edge), []);
  }),
);
