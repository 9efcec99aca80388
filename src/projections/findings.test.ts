import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplePlan, step } from '../../test/support/sample-plan.ts';
import type { Drift, Look } from '../domain/drift.ts';
import type { Event } from '../domain/event.ts';
import { deploymentId } from '../domain/ids.ts';
import { planHash } from '../plan/hash.ts';
import { advanceView } from './advance-view.ts';
import { initialView } from './deployment-view.ts';
import { findingsOf } from './findings.ts';
import { type Span, workSpans } from './work-spans.ts';

const ID = deploymentId('l1');
const PLAN = samplePlan({ batches: [[0, 1, 2, 3]], steps: [step('look')], verb: 'drift' });
const NAMES = PLAN.targets.map(({ name }) => name);
const [A = '', B = '', C = '', D = ''] = NAMES;
const CHANGED: Drift = { what: 'file', path: 'a', how: 'changed' };
const SAME: Look = { differs: [], moreDiffers: 0, unknown: [], added: [], moreAdded: 0 };

const attempt = (target: number) => ({
  ...{ target, step: 0, group: 0, attempt: 1, worker: null, startedAt: null },
});
const saw = (target: number, look: Partial<Look> = {}): readonly Event[] => [
  { kind: 'task.succeeded', ...attempt(target), outputs: { ...SAME, ...look } },
  { kind: 'target.succeeded', target },
];
const failed = (target: number): readonly Event[] => [
  { kind: 'target.failed', target, status: 'failed', reason: 'no answer', parked: false },
];
const BEGUN: readonly Event[] = [
  { kind: 'deployment.started' },
  { kind: 'stage.opened', stage: 0 },
  { kind: 'batch.opened', lane: 0, batch: 0 },
  { kind: 'tasks.granted', targets: [0, 1, 2], steps: [0, 0, 0] },
];

type More = {
  readonly busy?: Readonly<Record<string, Span>>;
  readonly added?: boolean;
  readonly plan?: typeof PLAN;
  readonly created?: readonly Event[];
};

/** Each event comes ten milliseconds after the one before, the first at 10. */
function stored(events: readonly Event[]) {
  return events.map((event, index) => ({ deployment: ID, version: index + 1, at: (index + 1) * 10, event }));
}

function found(
  events: readonly (readonly Event[])[],
  { busy = {}, added = false, plan = PLAN, created = [] }: More = {},
) {
  const all = stored([...created, ...BEGUN, ...events.flat()]);
  const view = advanceView(initialView(plan), all);
  const spans = new Map(Object.entries(busy).map(([name, span]) => [name, [span]]));
  return findingsOf({ plan, view, events: all, busy: spans, added });
}
const inShort = (...given: Parameters<typeof found>) =>
  found(...given).map(({ state, targets }) => [state, ...targets]);

test('equal findings are one, those that need a person first', () => {
  const seen = [saw(0), saw(1, { differs: [CHANGED] }), failed(2), saw(3, { differs: [CHANGED] })];
  assert.deepEqual(inShort(seen), [
    ['drifted', B, D],
    ['unknown', C],
    ['same', A],
  ]);
  assert.deepEqual(found(seen)[1]?.unknown, ['no answer']);
});

test('what was not seen in full is unknown, and never the same', () => {
  const partly = { unknown: ['lib may not be entered'] };
  assert.deepEqual(inShort([saw(0, partly), saw(1, { ...partly, differs: [CHANGED] }), saw(2)]), [
    ['drifted', B],
    ['unknown', A],
    ['waiting', D],
    ['same', C],
  ]);
});

test('what differs and is too much to be told is drift', () => {
  assert.deepEqual(inShort([saw(0, { moreDiffers: 1 }), saw(1), saw(2), saw(3)]), [
    ['drifted', A],
    ['same', B, C, D],
  ]);
});

test('files that were added are counted, and are drift where that is asked for', () => {
  const seen = [saw(0, { added: ['app.pid'] }), saw(1, { added: ['x', 'y'], moreAdded: 3 }), saw(2), saw(3)];
  const [same] = found(seen);
  assert.deepEqual([same?.state, same?.targets.length, same?.addedFiles, same?.added], ['same', 4, 6, []]);
  assert.deepEqual(inShort(seen, { added: true }), [
    ['drifted', A],
    ['drifted', B],
    ['same', C, D],
  ]);
});

test('a target on which a deployment worked while it was looked at is being deployed, and has not drifted', () => {
  const seen = [0, 1, 2, 3].map((target) => saw(target, { differs: [CHANGED] }));
  const busy = {
    [A]: { from: 0, to: 5 },
    [B]: { from: 0, to: 10 },
    [C]: { from: 30, to: Number.POSITIVE_INFINITY },
    [D]: { from: 1_000, to: 2_000 },
  };
  assert.deepEqual(inShort(seen, { busy }), [
    ['drifted', A, D],
    ['deploying', B, C],
  ]);
});

test('what was put there after the record was read, and before the look began, is being deployed', () => {
  const created: Event = {
    ...{ kind: 'deployment.created', planHash: planHash(PLAN), project: 'web', environment: 'production' },
    ...{ verb: 'drift', by: 'ada', reason: 'test', recordAt: 4 },
  };
  const seen = [0, 1, 2, 3].map((target) => saw(target, { differs: [CHANGED] }));
  const busy = { [A]: { from: 0, to: 5 }, [B]: { from: 0, to: 3 } };
  assert.deepEqual(inShort(seen, { busy, created: [created] }), [
    ['drifted', B, C, D],
    ['deploying', A],
  ]);
});

test('drift where a deployment has worked since without success says so', () => {
  const targets = PLAN.targets.map((target) => ({ ...target, facts: { unproven: true } }));
  const [drifted, same] = found([saw(0, { differs: [CHANGED] }), saw(1), saw(2), saw(3)], {
    plan: { ...PLAN, targets },
  });
  assert.deepEqual([drifted?.unproven, same?.unproven], [true, false]);
});

test('a target that is tried again is looked at anew', () => {
  const retried: Event = { kind: 'target.retried', target: 0, by: 'ada', reason: 'again', group: 1 };
  const [first] = found([failed(0), [retried], saw(0), saw(1), saw(2), saw(3)]);
  assert.deepEqual([first?.state, first?.targets], ['same', NAMES]);
});

test('a deployment works on a target from what it prepares to its end, also when it is tried again', () => {
  const granted = (...targets: readonly number[]): Event => ({
    ...{ kind: 'tasks.granted', targets, steps: targets.map(() => 0) },
  });
  const events = stored([granted(0, 1), granted(2), ...saw(0), ...failed(1), granted(1)]);
  assert.deepEqual(
    [...workSpans(events)],
    [
      [0, { from: 10, to: 40 }],
      [1, { from: 10, to: Number.POSITIVE_INFINITY }],
      [2, { from: 20, to: Number.POSITIVE_INFINITY }],
    ],
  );
  const end: Event = { kind: 'deployment.ended', status: 'aborted', reason: '', exceptions: 0, notes: [] };
  const ended = stored([granted(0, 1), granted(2), ...saw(0), end]);
  assert.deepEqual(
    [...workSpans(ended)].map(([, { to }]) => to),
    [40, 50, 50],
  );
});
