import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { MetricsAnswer, Series } from '../domain/metrics.ts';
import { measuredOf, type Said, stepsOf } from './measured.ts';
import { type MeasuredServer, serverFinder } from './servers.ts';

const server = (name: string, address: string, port: number | null = 8080): MeasuredServer => ({
  ...{ name, address, port, zone: 'a' },
});
const WEB_1 = server('web-1', '10.0.0.1');
const WEB_9 = server('web-9', '10.0.0.9');
const PAIRS = [{ canary: WEB_1, baseline: WEB_9 }];
const ABOUT = [WEB_1, WEB_9];
const ALL = (count: number) => ({ count, isLeftOut: () => false });

const series = (instance: string, ...values: readonly (number | null)[]): Series => ({
  labels: { instance },
  values,
});
const said = (...all: readonly Series[]): Said => ({
  answer: { kind: 'series', series: all, completeToMs: 0 },
  ...{ about: ABOUT, isOfOne: false },
});
const asked = (answer: MetricsAnswer): Said => ({ answer, about: ABOUT, isOfOne: false });

describe('a label', () => {
  const find = serverFinder([
    ...[WEB_1, server('twin', '10.0.0.7', 1), server('other twin', '10.0.0.7', 2)],
    ...[server('whole', '10.0.0.5', null), server('six', '2001:db8::1'), server('10.0.0.1', '10.0.0.3')],
  ]);
  for (const [label, name] of [
    ['web-1', 'web-1'],
    ['10.0.0.1:8080', 'web-1'],
    // Another has that for its name.
    ['10.0.0.1', '10.0.0.1'],
    ['10.0.0.1:9100', undefined],
    ['10.0.0.7:2', 'other twin'],
    ['10.0.0.7', undefined],
    ['10.0.0.5:9100', 'whole'],
    ['[2001:db8::1]:8080', 'six'],
    ['2001:db8::1', 'six'],
    ['WEB-1', undefined],
    ['', undefined],
  ] as const)
    test(`${JSON.stringify(label)} names ${name ?? 'nobody'}`, () => assert.equal(find(label)?.name, name));
});

test('series of one server are added up where they count, and averaged where they do not', () => {
  const two = said(series('web-1', 1, 2), series('10.0.0.1:8080', 3, null), series('web-9', 7, 8));
  const of = said(series('web-1', 10, 10), series('web-9', 20, 20));
  const counts = measuredOf({ by: 'instance', query: [two], of: [of] }, PAIRS, ALL(2));
  assert.deepEqual(counts.get('web-1'), { values: [4, 2], of: [10, 10] });
  const gauges = measuredOf({ by: 'instance', query: [two] }, PAIRS, ALL(2));
  assert.deepEqual(gauges.get('web-1'), { values: [2, 2] });
});

test('what there is no series of was counted as none where requests were, unless the answer is a part', () => {
  const of = said(series('web-1', 10, null, 10), series('web-9', 20, 20, 0));
  const counted = (answer: MetricsAnswer) =>
    measuredOf({ by: 'instance', query: [asked(answer)], of: [of] }, PAIRS, ALL(3));
  const empty = counted({ kind: 'empty', completeToMs: 0 });
  assert.deepEqual(empty.get('web-1'), { values: [0, Number.NaN, 0], of: [10, Number.NaN, 10] });
  assert.deepEqual(empty.get('web-9')?.of, [20, 20, Number.NaN]);
  const found = [series('web-1', null, null, 2)];
  const born = counted({ kind: 'series', series: found, completeToMs: 0 });
  assert.deepEqual(born.get('web-1')?.values, [0, Number.NaN, 2]);
  const part = counted({ kind: 'partial', series: found, warnings: ['slow'], completeToMs: 0 });
  assert.deepEqual(part.get('web-1')?.values, [Number.NaN, Number.NaN, 2]);
});

test('an answer about one server needs no label, and gives nothing to another', () => {
  const alone = (about: MeasuredServer, ...all: readonly Series[]): Said => ({
    answer: { kind: 'series', series: all, completeToMs: 0 },
    ...{ about: [about], isOfOne: true },
  });
  const query = [
    alone(WEB_1, { labels: {}, values: [3] }),
    alone(WEB_9, { labels: { instance: 'proxy' }, values: [4] }, series('web-1', 100)),
  ];
  const measured = measuredOf({ by: 'instance', query }, PAIRS, ALL(1));
  assert.deepEqual(
    [...measured],
    [
      ['web-1', { values: [3] }],
      ['web-9', { values: [4] }],
    ],
  );
});

test('a server of the baseline that is in two pairs counts once', () => {
  const pairs = [...PAIRS, { canary: server('web-2', '10.0.0.2'), baseline: WEB_9 }];
  const about = [WEB_1, WEB_9, server('web-2', '10.0.0.2')];
  const all = (value: number) => [
    { ...said(series('web-1', value), series('web-2', value), series('web-9', value)), about },
  ];
  const measured = measuredOf({ by: 'instance', query: all(2), of: all(10) }, pairs, ALL(1));
  assert.deepEqual(stepsOf(measured, { pairs, kind: 'counts' }, 1), [
    { kind: 'counts', canary: 4, baseline: 2, canaryExposure: 20, baselineExposure: 10 },
  ]);
  assert.deepEqual(stepsOf(measured, { pairs, kind: 'gauge' }, 1), [
    {
      kind: 'gauge',
      pairs: [
        { canary: 2, baseline: 2 },
        { canary: 2, baseline: 2 },
      ],
    },
  ]);
});

const value = fc.oneof(
  fc.integer({ min: 0, max: 1_000 }),
  fc.constantFrom(null, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1),
);
const POINTS = 5;
const values = fc.array(value, { maxLength: POINTS });
const ours = fc.constantFrom('web-1', '10.0.0.1', '10.0.0.1:8080', 'web-9', '10.0.0.9:8080');
const theirs = fc.constantFrom('web-3', '10.0.0.3:8080', '10.0.0.1:9', 'web-11', '');
const someOf = (label: fc.Arbitrary<string>) =>
  fc.array(
    fc.tuple(label, values).map(([instance, own]) => series(instance, ...own)),
    { maxLength: 6 },
  );
const kinds = fc.constantFrom('counts', 'gauge');

const stepsFrom = (query: readonly Series[], of: readonly Series[], kind: 'counts' | 'gauge') => {
  const whole = { by: 'instance', query: [said(...query)], ...(kind === 'counts' && { of: [said(...of)] }) };
  return stepsOf(measuredOf(whole, PAIRS, ALL(POINTS)), { pairs: PAIRS, kind }, POINTS);
};

test('whatever is not a number never becomes one, nor makes another one', () => {
  fc.assert(
    fc.property(someOf(ours), someOf(ours), (query, of) => {
      for (const step of stepsFrom(query, of, 'counts')) {
        assert.ok(step.kind === 'counts');
        const { canary, baseline, canaryExposure, baselineExposure } = step;
        for (const one of [canary, baseline, canaryExposure, baselineExposure])
          assert.ok(Number.isFinite(one) && one >= 0);
        assert.ok(canaryExposure > 0 || canary === 0);
        assert.ok(baselineExposure > 0 || baseline === 0);
      }
      for (const step of stepsFrom(query, of, 'gauge')) {
        assert.ok(step.kind === 'gauge');
        for (const { canary, baseline } of step.pairs)
          for (const one of [canary, baseline]) assert.ok(Number.isFinite(one) || Number.isNaN(one));
      }
    }),
  );
});

test('the order of series does not matter', () => {
  const shuffled = someOf(ours).chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, shuffled, kinds, ([query, otherQuery], [of, otherOf], kind) => {
      assert.deepEqual(stepsFrom(otherQuery, otherOf, kind), stepsFrom(query, of, kind));
    }),
  );
});

test('nothing of another server counts', () => {
  fc.assert(
    fc.property(someOf(ours), someOf(ours), someOf(theirs), kinds, (query, of, others, kind) => {
      assert.deepEqual(
        stepsFrom([...others, ...query], [...of, ...others], kind),
        stepsFrom(query, of, kind),
      );
    }),
  );
});

test('what comes late changes no point that was there before', () => {
  fc.assert(
    fc.property(someOf(ours), someOf(ours), kinds, fc.nat(POINTS), (query, of, kind, known) => {
      const upTo = (all: readonly Series[]) =>
        all.map((one) => ({ ...one, values: one.values.map((each, at) => (at < known ? each : null)) }));
      assert.deepEqual(
        stepsFrom(upTo(query), upTo(of), kind).slice(0, known),
        stepsFrom(query, of, kind).slice(0, known),
      );
    }),
  );
});

test('a point that is left out has nothing, whatever was said of it', () => {
  const points = { count: 2, isLeftOut: (point: number) => point === 0 };
  const whole = { by: 'instance', query: [said(series('web-1', 1, 2))], of: [said(series('web-1', 3, 4))] };
  assert.deepEqual(measuredOf(whole, PAIRS, points).get('web-1'), {
    values: [Number.NaN, 2],
    of: [Number.NaN, 4],
  });
});
