import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../../domain/command.ts';
import { commandId, taskIdFrom, workerId } from '../../domain/ids.ts';
import { reportedText } from './inbox.ts';
import { packReport, unpackLot } from './packed.ts';

const EMPTY = { now: 0, more: false, overdue: [], holds: [], poolVersions: {} };

test('a report that an older version left in the inbox by itself is still a command', () => {
  const report: Command = {
    id: commandId('report/d1/0/0/0/1'),
    by: 'worker:w1',
    kind: 'report',
    task: taskIdFrom('d1/0/0/0'),
    epoch: 1,
    attempt: 1,
    worker: workerId('w1'),
    startedAt: 1_000,
    outcome: { kind: 'done', outputs: {} },
  };
  const { commands } = unpackLot({ ...EMPTY, rows: [report.id], bodies: [JSON.stringify(report)] });
  assert.deepEqual(commands, [report]);
});

test('reports that cross as texts come out of the inbox as the commands they are', () => {
  const said = { task: taskIdFrom('d1/0/0/0'), epoch: 2, attempt: 3, startedAt: 1_000 };
  const done = packReport({ ...said, outcome: { kind: 'done', outputs: { text: 'a "quoted"\nline' } } });
  const wait = packReport({ ...said, outcome: { kind: 'wait', wakeAfterMs: 5, checkpoint: null } });
  assert.equal(wait[2], null);
  const body = reportedText(workerId('w"1'), [done[2] ?? '']);
  const { commands } = unpackLot({ ...EMPTY, rows: [commandId('r')], bodies: [body] });
  assert.deepEqual(commands, [
    {
      ...said,
      id: 'report/d1/0/0/0/2',
      by: 'worker:w"1',
      kind: 'report',
      worker: 'w"1',
      outcome: { kind: 'done', outputs: { text: 'a "quoted"\nline' } },
    },
  ]);
});
