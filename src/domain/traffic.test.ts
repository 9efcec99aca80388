import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type InstanceReading, type MemberCounts, type TrafficReading, trafficBetween } from './traffic.ts';

const TIMES = { queueMs: 0, connectMs: 1, responseMs: 10, totalMs: 20 };
const MINUTE = 60_000;

const counts = (
  member: string,
  requests: number,
  errors = 0,
  more: Partial<MemberCounts> = {},
): MemberCounts => ({
  ...{ member, requests, errors, ...more },
});

type Counted = Extract<InstanceReading, { kind: 'counted' }>;
const instance = (members: readonly MemberCounts[], more: Partial<Counted> = {}): Counted => ({
  ...{ kind: 'counted', instance: 'one', pid: 7, uptimeMs: 100_000, members, ...more },
});
const later = (members: readonly MemberCounts[], more: Partial<Counted> = {}): Counted =>
  instance(members, { uptimeMs: 160_000, ...more });
const silent: InstanceReading = { kind: 'silent', instance: 'two', why: 'two: no reply' };

const at = (atMs: number, ...instances: readonly InstanceReading[]): TrafficReading => ({ atMs, instances });

test('a step has what was counted between two readings', () => {
  const before = at(0, instance([counts('a', 100, 3), counts('b', 5)]));
  const after = at(MINUTE, later([counts('a', 160, 5), counts('b', 5)]));
  assert.deepEqual(trafficBetween(before, after), {
    members: [counts('a', 60, 2), counts('b', 0)],
    missing: [],
  });
});

test('what several instances counted is one sum, and times are weighed by their good answers', () => {
  const two = { instance: 'two' };
  const before = at(0, instance([counts('a', 0)]), instance([counts('a', 0)], two));
  const slow = { ...TIMES, responseMs: 30 };
  const after = at(
    MINUTE,
    later([counts('a', 10, 0, { times: TIMES })]),
    later([counts('a', 32, 2, { times: slow })], two),
  );
  const [sum] = trafficBetween(before, after).members;
  assert.deepEqual(sum, counts('a', 42, 2, { times: { ...TIMES, responseMs: 25 } }));
});

test('there are no times without a good answer in the step', () => {
  const before = at(0, instance([counts('a', 10, 0, { times: TIMES })]));
  const after = at(MINUTE, later([counts('a', 12, 2, { times: TIMES })]));
  assert.deepEqual(trafficBetween(before, after).members, [counts('a', 2, 2)]);
});

test('an instance that was silent at either end is missing, and the others count', () => {
  const two = { instance: 'two' };
  const both = at(0, instance([counts('a', 1)]), instance([counts('a', 100)], two));
  const one = at(MINUTE, later([counts('a', 3)]), silent);
  for (const [before, after] of [
    [both, one],
    [
      at(0, instance([counts('a', 1)]), silent),
      at(MINUTE, later([counts('a', 3)]), later([counts('a', 300)], two)),
    ],
  ] as const)
    assert.deepEqual(trafficBetween(before, after), {
      members: [counts('a', 2)],
      missing: ['two: no reply'],
    });
});

test('an instance that was added or taken away is missing', () => {
  const one = at(0, instance([counts('a', 1)]));
  const both = at(MINUTE, later([counts('a', 2)]), later([counts('a', 50)], { instance: 'two' }));
  assert.deepEqual(trafficBetween(one, both), { members: [counts('a', 1)], missing: ['two was not asked'] });
});

for (const [what, more] of [
  ['has another id', { pid: 8 }],
  ['is younger, with the same id', { uptimeMs: 30_000 }],
  ['is older by less than has passed', { uptimeMs: 140_000 }],
] as const)
  test(`a process that ${what} has begun again, and its members have gaps`, () => {
    const before = at(0, instance([counts('a', 10)]));
    const step = trafficBetween(before, at(MINUTE, later([counts('a', 900)], more)));
    assert.deepEqual(step, { members: [], missing: ['one has begun again'] });
  });

test('a process whose age is a few seconds off is the same one', () => {
  const before = at(0, instance([counts('a', 10)]));
  const after = at(MINUTE, later([counts('a', 11)], { uptimeMs: 157_000 }));
  assert.deepEqual(trafficBetween(before, after).members, [counts('a', 1)]);
});

test('where one counter has fallen, none of its instance is believed', () => {
  const before = at(0, instance([counts('a', 10, 2), counts('b', 10)]));
  const after = at(MINUTE, later([counts('a', 12, 1), counts('b', 90)]));
  assert.deepEqual(trafficBetween(before, after), {
    members: [],
    missing: ['one has set its counters to zero'],
  });
});

test('a member that vanished anywhere, or is new, has a gap, and the others have none', () => {
  const two = { instance: 'two' };
  const [a, b] = [counts('a', 1), counts('b', 1)];
  const before = at(0, instance([a, b]), instance([a, b], two));
  const after = at(MINUTE, later([a, b, counts('c', 5)]), later([a], two));
  assert.deepEqual(trafficBetween(before, after), { members: [counts('a', 0)], missing: [] });
});
