import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WatchItem } from '../../../src/api/contract.ts';
import { deploymentId } from '../../../src/domain/ids.ts';
import { STARTED, sampleRow, sampleView } from '../../../test/support/sample-view.ts';
import { begun, withItems } from './deployment.ts';

const view = sampleView({ batches: [{ name: 'all', targets: '>.' }] });
const item = (version: number): WatchItem => ({
  ...{ kind: 'event', deployment: deploymentId('d1'), version, at: STARTED, targets: [], batches: [] },
  event: { kind: 'tasks.granted', targets: [0], steps: [0] },
  overall: { ...view.overall, version },
});
const stored = (version: number) => {
  const { deployment, at, event } = item(version) as Extract<WatchItem, { kind: 'event' }>;
  return { deployment, version, at, event };
};
const live = begun({ row: sampleRow(), view, expected: null, events: [stored(1), stored(2)] });

describe('a deployment that is watched', () => {
  test('an event that comes twice is there once', () => {
    const after = withItems(live, [item(2), item(3), item(3), item(1), item(4)]);
    assert.deepEqual(
      after.events.map(({ version }) => version),
      [1, 2, 3, 4],
    );
    assert.equal(after.view.overall.version, 4);
  });

  test('a gap is a fault that is said, and not a picture that is wrong', () => {
    assert.throws(() => withItems(live, [item(4)]), /the event 3 is missing before 4/);
  });

  test('progress changes a target, and is no event', () => {
    const after = withItems(live, [
      { kind: 'progress', targets: [{ index: 0, progress: '3 connections left', worker: 'w' }] },
    ]);
    assert.equal(after.view.targets[0]?.progress, '3 connections left');
    assert.equal(after.events.length, 2);
  });
});
