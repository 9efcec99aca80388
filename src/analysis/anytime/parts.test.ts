import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Counted, CountTest } from './counts.ts';
import { learnParts, PartTest } from './parts.ts';
import { lnWays } from './ways.ts';

const OPTIONS = { alpha: 0.01, tolerated: 1, dispersion: 1, usual: 1 };

const choose = (all: number, some: number): number =>
  Array.from({ length: some }, (_, at) => (all - at) / (at + 1)).reduce((ways, part) => ways * part, 1);

test('ways to draw are those that counting them gives', () => {
  const small = { canary: fc.integer({ min: 1, max: 30 }), baseline: fc.integer({ min: 1, max: 30 }) };
  fc.assert(
    fc.property(fc.record(small), fc.nat({ max: 60 }), fc.constantFrom(1, 1.25, 3, 10), (of, most, odds) => {
      const slow = Math.min(most, of.canary + of.baseline);
      let ways = 0;
      for (let k = Math.max(0, slow - of.baseline); k <= Math.min(slow, of.canary); k += 1)
        ways += choose(of.canary, k) * choose(of.baseline, slow - k) * odds ** k;
      assert.ok(Math.abs(lnWays({ ...of, slow }, odds) - Math.log(ways)) < 1e-9);
    }),
  );
  // Of a million too: with odds of 1 they are the ways to draw from all.
  const many = lnWays({ canary: 1e6, baseline: 1e6, slow: 1e6 }, 1);
  assert.ok(Math.abs(many - (2e6 * Math.LN2 - 0.5 * Math.log(Math.PI * 1e6))) < 1e-5);
});

test('what is expected of a step without harm is 1, so that it may be looked at after each', () => {
  const steps = { canary: fc.integer({ min: 1, max: 20 }), baseline: fc.integer({ min: 1, max: 20 }) };
  fc.assert(
    fc.property(fc.record(steps), fc.nat({ max: 40 }), ({ canary, baseline }, most) => {
      const slow = Math.min(most, canary + baseline);
      let expected = 0;
      for (let k = Math.max(0, slow - baseline); k <= Math.min(slow, canary); k += 1) {
        const running = new PartTest(OPTIONS);
        running.add({ canary: k, baseline: slow - k, canaryExposure: canary, baselineExposure: baseline });
        const chance = (choose(canary, k) * choose(baseline, slow - k)) / choose(canary + baseline, slow);
        expected += chance * running.evidence;
      }
      assert.ok(Math.abs(expected - 1) < 1e-9, `${expected}`);
    }),
  );
});

test('of what is rare it says what a test of counts says, and of what is common more', () => {
  const evidence = (running: CountTest | PartTest, counted: Counted) => {
    for (let step = 0; step < 5; step += 1) running.add(counted);
    return running.evidence;
  };
  const rare = { canary: 8, baseline: 4, canaryExposure: 1e6, baselineExposure: 1e6 };
  const common = { canary: 70, baseline: 55, canaryExposure: 100, baselineExposure: 100 };
  const [part, count] = [new PartTest(OPTIONS), new CountTest(OPTIONS)];
  assert.ok(Math.abs(evidence(part, rare) / evidence(count, rare) - 1) < 1e-3);
  assert.ok(evidence(new PartTest(OPTIONS), common) > 10 * evidence(new CountTest(OPTIONS), common));
});

const step = (canary: number, baseline: number): Counted => ({
  ...{ canary, baseline, canaryExposure: 100, baselineExposure: 100 },
});

test('parts that lie apart by more than chance have a dispersion', () => {
  const swings = Array.from({ length: 50 }, (_, at) =>
    Math.floor(at / 5) % 2 ? step(60, 40) : step(40, 60),
  );
  assert.ok(learnParts(swings).dispersion > 10);
  const nothing = { dispersion: 1, usual: 1, blocks: 0 };
  assert.deepEqual(learnParts(Array(50).fill(step(50, 50))), { ...nothing, blocks: 10 });
  assert.deepEqual(learnParts(Array(50).fill(step(100, 100))), nothing);
  assert.deepEqual(learnParts(Array(50).fill(step(Number.NaN, 1))), nothing);
});

test('a part that is always higher is usual, and no harm; more of it is', () => {
  const { dispersion, usual } = learnParts(Array(240).fill(step(55, 45)));
  assert.ok(dispersion === 1 && usual > 1.45 && usual < 1.6);
  assert.equal(learnParts(Array(240).fill(step(45, 55))).usual, 1);
  const evidence = (counted: Counted) => {
    const running = new PartTest({ ...OPTIONS, usual });
    for (let minute = 0; minute < 60; minute += 1) running.add(counted);
    return running.evidence;
  };
  assert.ok(evidence(step(55, 45)) < 1);
  assert.ok(evidence(step(62, 45)) > 100);
});
