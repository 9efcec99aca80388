import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deploymentId } from '../../../src/domain/ids.ts';
import { sampleRow } from '../../../test/support/sample-view.ts';
import { withItem } from './overview-rows.ts';

const row = (id: string, createdAt: number) => ({
  ...sampleRow(),
  ...{ id: deploymentId(id), createdAt },
});
const idsOf = (rows: ReturnType<typeof withItem>) => rows.map(({ id }) => id);

test('a snapshot replaces all, so that after a break nothing is left of before', () => {
  assert.deepEqual(idsOf(withItem([row('old', 1)], { kind: 'snapshot', deployments: [row('new', 2)] })), [
    'new',
  ]);
});

test('a change replaces its row, or is a new one, newest first', () => {
  const rows = [row('b', 2), row('a', 1)];
  assert.deepEqual(idsOf(withItem(rows, { kind: 'changed', deployment: row('a', 1) })), ['b', 'a']);
  assert.deepEqual(idsOf(withItem(rows, { kind: 'changed', deployment: row('c', 3) })), ['c', 'b', 'a']);
});
