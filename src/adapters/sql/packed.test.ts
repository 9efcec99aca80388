import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../../domain/command.ts';
import { commandId, taskIdFrom, workerId } from '../../domain/ids.ts';
import { unpackLot } from './packed.ts';

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
