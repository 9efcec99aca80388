import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { harmless, LATENCIES, type LatencyHarm, timesAll } from '../../../test/support/canary-latencies.ts';
import { Draws } from '../../../test/support/draws.ts';
import { CdfBand } from './cdf-band.ts';
import { histogramOf, type LatencyStep } from './histograms.ts';

const BOUNDS = [25, 50, 75, 100, 150, 200, 300, 500, 1000, 2500];
const ALPHA = { alpha: 0.01 };

function minutes(seed: number, requests: number, harm: LatencyHarm): readonly LatencyStep[] {
  const draws = new Draws(seed);
  const minute = LATENCIES.alike(draws, requests);
  return Array.from({ length: 60 }, () => {
    const { canary, baseline } = minute(harm);
    return { canary: histogramOf(canary, BOUNDS), baseline: histogramOf(baseline, BOUNDS) };
  });
}

const after = (steps: readonly LatencyStep[], bounds = BOUNDS): CdfBand => {
  const band = new CdfBand(bounds, ALPHA);
  for (const step of steps) band.add(step);
  return band;
};

test('bands of equal sides do not part, and hold the quantiles that the durations have', () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const band = after(minutes(seed, 100, harmless));
    assert.equal(band.isAlarm, false);
    const { above = 0, upTo = Number.POSITIVE_INFINITY } = band.quantile('canary', 0.5);
    assert.ok(above < 100 && 100 < upTo);
  }
});

test('they part where the canary is slower, and say which quantile moved, and how surely', () => {
  const band = after(minutes(1, 1000, timesAll(2)));
  assert.equal(band.isAlarm, true);
  assert.ok(band.p < 1e-6);
  assert.equal(band.widest?.bound, 150);
  assert.ok(Math.abs((band.widest?.gap ?? 0) - 0.33) < 0.02);
  assert.deepEqual(band.quantile('baseline', 0.5), { above: 75, upTo: 150 });
  assert.deepEqual(band.quantile('canary', 0.5), { above: 150, upTo: 300 });
  assert.equal(band.quantile('canary', 0.999).upTo, undefined);
});

test('a canary that is faster is no harm', () => {
  const band = after(minutes(1, 1000, timesAll(0.5)));
  assert.deepEqual([band.p, band.widest?.gap ?? 0], [1, 0]);
});

const histogram = fc.array(fc.nat({ max: 400 }), { minLength: 3, maxLength: 3 });
const steps = fc.array(fc.record({ canary: histogram, baseline: histogram }), { maxLength: 40 });

test('its p-value is where the bands part: with just more alpha they do, and with just less they do not', () => {
  fc.assert(
    fc.property(fc.integer({ min: 350, max: 3000 }), (requests) => {
      const step = { canary: [0, requests], baseline: [requests, 0] };
      const { p } = after([step], [1]);
      const isParted = (alpha: number) => {
        const width =
          0.85 * Math.sqrt((Math.log(1 + Math.log(requests)) + 0.8 * Math.log(3224 / alpha)) / requests);
        return 1 > 2 * width;
      };
      assert.ok(p === 1 || (p < 1 && isParted(p * 1.001) && !isParted(p / 1.001)) || p < 1e-290);
    }),
  );
});

test('its p-value never rises, gaps prove nothing, and slower requests on the canary never mean less', () => {
  fc.assert(
    fc.property(steps, fc.nat({ max: 400 }), (seen, many) => {
      const [band, worse] = [after([], [1, 2]), after([], [1, 2])];
      let before = 1;
      for (const step of seen) {
        band.add(step);
        band.add({ ...step, canary: [] });
        band.add({ ...step, baseline: [0, Number.NaN, 9] });
        assert.ok(band.p <= before);
        before = band.p;
        const [fast = 0, middle = 0, slow = 0] = step.canary;
        const moved = Math.min(many, fast);
        worse.add({ ...step, canary: [fast - moved, middle, slow + moved] });
      }
      assert.ok(worse.p <= band.p * (1 + 1e-9));
    }),
  );
});

test('one slow request never suffices, and before the first there is no quantile', () => {
  for (const many of [0, 10, 1e6])
    assert.equal(after([{ canary: [many, 1], baseline: [many + 1, 0] }], [1]).p, 1);
  assert.deepEqual(after([]).quantile('canary', 0.5), {});
});
