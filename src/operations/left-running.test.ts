import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import type { ClaimedTask } from '../ports/task-board.ts';

const PLACE = { project: 'web', environment: 'production' } as const;
const stopIsUnknown = (task: ClaimedTask) =>
  task.target === 'web-2' && task.step === 'stop'
    ? ({ kind: 'unknown', seen: 'the host was gone' } as const)
    : undefined;

const told = async ({ admin }: EdgeApi, version: string) =>
  (await admin.plan({ ...PLACE, version })).notes.flatMap(({ code, message }) =>
    code === 'may_still_run' ? [message] : [],
  );

test(
  'a plan tells of what nobody has seen the end of, until a deployment has brought its target to a good end',
  withEdgeApi(async (edge) => {
    await edge.configure(4, ['2.0.0', '3.0.0']);
    const deployment = await edge.deploy('2.0.0');
    await edge.work(stopIsUnknown);
    await edge.admin.abort({ deployment, reason: 'look first' });
    await edge.work();
    // Another one that gets no further than to look proves nothing.
    const second = await edge.deploy('3.0.0');
    await edge.admin.abort({ deployment: second, reason: 'wait' });
    await edge.work();
    // Neither do the commands of people, however many.
    for (let count = 0; count < 6; count += 1) {
      await edge.admin.exec({ ...PLACE, argv: ['uptime'], reason: 'look around' });
      await edge.work();
    }
    const [note = '', ...others] = await told(edge, '3.0.0');
    assert.match(note, /the end of stop on web-2: it may still run/);
    assert.deepEqual(others, []);
    await edge.deploy('3.0.0');
    await edge.work();
    assert.deepEqual(await told(edge, '2.0.0'), []);
    assert.deepEqual(edge.faults, []);
  }),
);
