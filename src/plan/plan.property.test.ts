import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  environment,
  pool,
  projectEnvironment,
  release,
  request,
  targets,
} from '../../test/fixtures/configuration.ts';
import { floorOf } from '../domain/capacity.ts';
import { EdgeError } from '../domain/errors.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import type { Planned, PlanRequest } from './request.ts';

const share = fc.integer({ min: 1, max: 100 }).map((percent) => `${percent}%`);
const amount = fc.oneof(fc.integer({ min: 1, max: 12 }), share);
const zones = ['east', 'west', 'north'];

/** Any fleet in any state, by any strategy, with any floor. */
const anyRequest = fc
  .record({
    verb: fc.constantFrom('deploy', 'restart', 'rollback'),
    hard: fc.boolean(),
    fleet: fc.array(
      fc.record({
        zone: fc.constantFrom(...zones),
        state: fc.constantFrom('in', 'in', 'in', 'out', 'parked'),
        running: fc.constantFrom(true, false, null),
        before: fc.constantFrom('1.0.0', '2.0.0'),
      }),
      { minLength: 1, maxLength: 30 },
    ),
    canary: fc.oneof(amount, fc.constant(0)),
    batches: fc.oneof(amount, fc.array(amount, { minLength: 1, maxLength: 5 })),
    order: fc.constantFrom('in-order', 'side-by-side'),
    parallel: fc.integer({ min: 1, max: 10 }),
    floor: fc.oneof(fc.integer({ min: 0, max: 10 }), share),
    zoneFloor: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3 }), share),
  })
  .map((made): PlanRequest => {
    const list = targets(made.fleet.length, (index) => ({ zone: made.fleet[index]?.zone }));
    const strategy = {
      canary: made.canary,
      batches: made.batches,
      zones: made.order,
      parallel: made.parallel,
    };
    const names = list.map(({ name }) => String(name));
    const out = names.filter((_, index) => made.fleet[index]?.state !== 'in');
    return request({
      verb: made.verb,
      hard: made.hard,
      release: made.verb === 'restart' ? null : release('2.0.0'),
      environment: environment({ zones: zones.map((name) => ({ name })) }),
      projectEnvironment: projectEnvironment({
        targets: list,
        strategy,
        policy: { minInService: made.floor, minInServicePerZone: made.zoneFloor },
      }),
      pools: [pool(names, out)],
      fleet: made.fleet.map(({ state, running, before }, index) => ({
        target: names[index] ?? '',
        before: release(before).id,
        parked: state === 'parked',
        running,
      })),
    });
  });

/** Holds for the plan of every request that is not refused; refusals are errors of the catalogue. */
function always(title: string, holds: (planned: Planned, asked: PlanRequest) => void): void {
  test(title, () => {
    fc.assert(
      fc.property(anyRequest, (asked) => {
        try {
          holds(buildPlan(asked, datacenter), asked);
        } catch (error) {
          if (!(error instanceof EdgeError) || error.code === 'internal') throw error;
        }
      }),
      { numRuns: 300 },
    );
  });
}

const batchesOf = ({ plan }: Planned) =>
  plan.stages.flatMap(({ lanes }) => lanes.flatMap(({ batches }) => batches));

always('every target of a plan is in exactly one batch', (planned) => {
  const placed = batchesOf(planned).flatMap((batch) => batch.targets);
  assert.deepEqual(
    placed.toSorted((a, b) => a - b),
    planned.plan.targets.map((_, index) => index),
  );
});

always('no batch is empty, and none works on more at once than it has or the strategy allows', (planned) => {
  for (const { targets: indexes, parallel } of batchesOf(planned)) {
    assert.ok(parallel >= 1 && parallel <= indexes.length && parallel <= planned.plan.policy.parallel);
  }
});

always('a batch takes no more out of service at once than the floor leaves', ({ plan, capacity }) => {
  if (plan.hard) return;
  for (const { before, lowest, floor } of capacity) assert.ok(lowest >= Math.min(before, floor));
});

always('a batch that drains works on no more at once than the pool may spare', (planned, asked) => {
  const [seen] = asked.pools;
  const floor = planned.plan.floors[0]?.floor;
  if (!seen || !floor) return;
  const spare = Math.max(0, seen.members.length - floorOf(floor, seen.members.length));
  const parked = asked.fleet.filter((entry) => entry.parked).length;
  for (const { sequence, parallel } of batchesOf(planned)) {
    if (sequence === 'rolling' || sequence === 'restart') assert.ok(parallel <= spare + parked);
  }
});

always('a batch that drains works on no more at once than its zone may spare', ({ plan }, asked) => {
  for (const { zone, batches } of plan.stages.flatMap(({ lanes }) => lanes)) {
    const kept = plan.floors.find((floor) => floor.zone?.name === zone);
    if (!kept?.zone) continue;
    const { members } = kept.zone;
    const spare = Math.max(0, members.length - floorOf(kept.floor, members.length));
    const parked = asked.fleet.filter((entry) => entry.parked && members.includes(entry.target)).length;
    for (const { sequence, parallel } of batches)
      if (sequence === 'rolling' || sequence === 'restart') assert.ok(parallel <= spare + parked);
  }
});

always('every sequence that a batch names is in the plan', (planned) => {
  for (const { sequence } of batchesOf(planned)) assert.ok(planned.plan.sequences[sequence]);
});

always('outputs are only taken from earlier steps of the same sequence', ({ plan }) => {
  for (const steps of Object.values(plan.sequences)) {
    for (const [at, { inputs }] of steps.entries()) {
      for (const input of Object.values(inputs)) {
        if ('from' in input) assert.ok(steps.slice(0, at).some(({ id }) => id === input.from));
      }
    }
  }
});

always('every fact that a step refers to is a fact of each target that does it', (planned) => {
  for (const batch of batchesOf(planned)) {
    const wanted = (planned.plan.sequences[batch.sequence] ?? []).flatMap(({ inputs }) =>
      Object.values(inputs).flatMap((input) => ('target' in input ? [input.target] : [])),
    );
    for (const index of batch.targets) {
      assert.ok(wanted.every((fact) => Object.hasOwn(planned.plan.targets[index]?.facts ?? {}, fact)));
    }
  }
});

always('others come last and only they, or a rollback, are free of the budget', ({ plan }) => {
  for (const { name, lanes } of plan.stages) {
    for (const { targets: indexes, countsFailures } of lanes.flatMap(({ batches }) => batches)) {
      assert.equal(countsFailures, name !== 'others' && plan.verb !== 'rollback');
      for (const index of indexes) assert.equal(plan.targets[index]?.inServiceBefore, name !== 'others');
    }
  }
});

always('equal requests give equal plans', ({ hash }, asked) => {
  assert.equal(buildPlan(structuredClone(asked), datacenter).hash, hash);
});
