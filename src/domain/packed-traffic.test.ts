import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fitsIntoCheckpoint, packReading, packStep, unpackReading, unpackStep } from './packed-traffic.ts';
import type { InstanceReading, TrafficReading } from './traffic.ts';

const count = fc.integer({ min: 0, max: 10 ** 12 });
const plain = { noNullPrototype: true };
const side = fc.record({ errors: count, requests: count }, plain);

test('a step is the same once it was packed, a gap too', () => {
  const step = fc.option(fc.record({ canary: side, baseline: side }, plain));
  fc.assert(fc.property(step, (one) => assert.deepEqual(unpackStep(packStep(one)), one)));
});

test('a reading is the same once it was packed, with the members that were not there and the instances that were silent', () => {
  const members = ['web-1', 'web-2', 'web-3'];
  const instance = fc
    .record({ pid: fc.nat(), uptimeMs: fc.nat(), sides: fc.tuple(...members.map(() => fc.option(side))) })
    .map(
      ({ pid, uptimeMs, sides }): InstanceReading => ({
        ...{ kind: 'counted', instance: 'a:9999', pid, uptimeMs },
        members: members.flatMap((member, at) => (sides[at] ? [{ member, ...sides[at] }] : [])),
      }),
    );
  const silent: InstanceReading = { kind: 'silent', instance: 'b:9999', why: 'b:9999 did not answer' };
  fc.assert(
    fc.property(fc.nat(), fc.array(instance), (atMs, counted) => {
      const reading: TrafficReading = { atMs, instances: [...counted, silent] };
      assert.deepEqual(unpackReading(packReading(reading, members), members), reading);
    }),
  );
});

test('60 steps of 100 pairs are kept, and what is too much is known before', () => {
  assert.ok(fitsIntoCheckpoint(60, [{ members: 200, instances: 4 }]));
  assert.ok(fitsIntoCheckpoint(300, [{ members: 2, instances: 1 }]));
  assert.ok(!fitsIntoCheckpoint(301, [{ members: 2, instances: 1 }]));
  assert.ok(!fitsIntoCheckpoint(60, [{ members: 1_000, instances: 1 }]));
});

test('what is said to fit does fit, with all that a judge keeps beside it', () => {
  const members = Array.from({ length: 200 }, (_, at) => `web-${at}`);
  const instances = Array.from({ length: 4 }, (_, at): InstanceReading => {
    const own = members.map((member) => ({ member, requests: 36 ** 7 - 1, errors: 36 ** 5 - 1 }));
    return {
      kind: 'counted',
      instance: `/${'s'.repeat(100)}${at}`,
      pid: 4_194_303,
      uptimeMs: 1e11,
      members: own,
    };
  });
  const busy = { requests: 36 ** 5 - 1, errors: 36 ** 4 - 1 };
  const steps = Array.from({ length: 60 }, () => packStep({ canary: busy, baseline: busy }));
  const readings = [packReading({ atMs: 1_800_000_000_000, instances }, members)];
  const kept = JSON.stringify({ steps: steps.join(' '), last: { step: 60, readings } });
  assert.ok(kept.length < 14_000, String(kept.length));
});
