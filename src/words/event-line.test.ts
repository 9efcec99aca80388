import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplePlan } from '../../test/support/sample-plan.ts';
import { STARTED, sampleView } from '../../test/support/sample-view.ts';
import { Turns } from '../../test/support/turns.ts';
import type { Event } from '../domain/event.ts';
import { deploymentId, workerId } from '../domain/ids.ts';
import { eventLine } from './event-line.ts';

const view = sampleView({
  batches: [
    { name: 'canary', targets: '+' },
    { name: 'rest', targets: '>.' },
  ],
});
/** As it comes over the wire. */
const line = (event: Event) => eventLine(JSON.parse(JSON.stringify({ event, at: STARTED + 64_000 })), view);
const attempt = {
  target: 1,
  step: 5,
  group: 0,
  attempt: 1,
  worker: workerId('w'),
  startedAt: STARTED + 60_000,
};

test('an event is one line with its time, and the names of target and step', () => {
  assert.equal(
    line({ kind: 'task.succeeded', outputs: {}, ...attempt }),
    '12:01:04Z web-01 verify done in 4s',
  );
  const error = { code: 'health_failed', message: 'HTTP 500\nfrom /health' } as const;
  assert.equal(
    line({ kind: 'task.failed', error, ...attempt }),
    '12:01:04Z web-01 verify failed (health_failed): HTTP 500 from /health',
  );
});

test('the time of a step is that of all its attempts, and tells tenths of short ones', () => {
  const last = { ...attempt, attempt: 3, startedAt: STARTED + 63_990 };
  assert.match(line({ kind: 'task.succeeded', outputs: {}, ...last }) ?? '', /verify done in 4s$/);
  const short = eventLine(
    { event: { kind: 'task.succeeded', outputs: {}, ...attempt }, at: STARTED + 60_340 },
    view,
  );
  assert.match(short ?? '', /verify done in 0\.3s$/);
});

test('a pause tells the day on which it would end, when that is another one', () => {
  const pause = { kind: 'deployment.paused', cause: 'operator', by: 'ann', reason: 'lunch' } as const;
  assert.match(line({ ...pause, abortAt: STARTED + 86_400_000 }) ?? '', /at 2026-03-02 12:00Z$/);
  assert.match(line({ ...pause, abortAt: STARTED + 3_600_000 }) ?? '', /at 13:00:00Z$/);
});

test('batches are told with their names and counts', () => {
  assert.equal(line({ kind: 'batch.opened', lane: 0, batch: 1 }), '12:01:04Z batch rest: 2 targets');
  assert.equal(
    line({ kind: 'batch.ended', lane: 0, batch: 0 }),
    '12:01:04Z batch canary ended: 1 done, 0 failed, 0 skipped',
  );
});

test('the end says how, why, and what follows', () => {
  const rollback = deploymentId('d-18');
  const event: Event = {
    kind: 'deployment.ended',
    status: 'failed',
    reason: 'health',
    exceptions: 2,
    notes: ['unverified'],
    rollback,
  };
  assert.equal(line(event), '12:01:04Z failed: health; unverified; rolled back by d-18');
});

test('a wait for capacity says of which pool, how many are in service, and the floor', () => {
  const event: Event = {
    kind: 'capacity.refused',
    target: 2,
    pool: 'lb/web',
    inService: 5,
    floor: 6,
    since: 0,
    wakeAt: 0,
  };
  assert.equal(
    line(event),
    '12:01:04Z web-02 waits for capacity: lb/web would have 5 in service, the floor is 6',
  );
  assert.equal(
    line({ ...event, zone: 'north', inService: 1, floor: 2 }),
    '12:01:04Z web-02 waits for capacity: zone north of lb/web would have 1 in service, the floor is 2',
  );
});

test('every event of a whole deployment is one line or none', () => {
  const turns = new Turns(samplePlan({ batches: [[0], [1, 2]] }));
  turns.operator('pause');
  turns.operator('resume');
  turns.finish();
  const lines = turns.events.flatMap((event) => line(event) ?? []);
  assert.ok(lines.length > 20);
  for (const text of lines) assert.match(text, /^12:01:04Z [^\n]+$/);
});

test('a reason with escape sequences is made inert', () => {
  assert.equal(
    line({ kind: 'deployment.resumed', by: 'ann', reason: '\u001b[2Jgo', at: 0 }),
    '12:01:04Z resumed by ann: go',
  );
});
