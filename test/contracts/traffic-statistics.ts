import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TrafficReading, trafficBetween } from '../../src/domain/traffic.ts';
import type { TrafficStatistics } from '../../src/ports/traffic-statistics.ts';
import { perTest } from '../support/per-test.ts';
import { rejectsWith } from './load-balancer.ts';

/** A balancer with one pool of at least two members, which has had no traffic, and the hands to send it some. */
export type StatisticsWorld = {
  readonly statistics: TrafficStatistics;
  readonly pool: string;
  readonly members: readonly string[];
  /** Requests that end at a member before this resolves: so many well, and so many with an error. */
  serve(member: string, well: number, badly: number): Promise<void>;
  /** Another process takes its place, which has counted nothing. */
  restart(): Promise<void>;
  /** The device goes away. */
  vanish(): Promise<void>;
  dispose(): Promise<void>;
};

const signal = new AbortController().signal;

/** What every `TrafficStatistics` does that counts, run on each adapter. `skip` is why it cannot run here. */
export function trafficStatisticsContract(
  name: string,
  make: () => Promise<StatisticsWorld>,
  skip?: string,
): void {
  const start = perTest(make);
  const does = (title: string, body: (world: StatisticsWorld, names: Names) => Promise<void>): void => {
    test(`${name}: ${title}`, { skip: skip ?? false }, async () => {
      const world = await start();
      const [first = '', second = ''] = world.members;
      await body(world, { first, second });
    });
  };

  does('what ended at a member is counted there, and an error is one of those', async (world, names) => {
    const { first, second } = names;
    const before = await readingOf(world);
    await world.serve(first, 3, 2);
    await world.serve(second, 1, 0);
    assert.deepEqual(countsOf(before, await readingOf(world)), {
      [first]: { requests: 5, errors: 2 },
      [second]: { requests: 1, errors: 0 },
    });
  });

  does('each step has what ended in it, and nothing twice', async (world, { first }) => {
    await world.serve(first, 2, 0);
    const before = await readingOf(world, [first]);
    await world.serve(first, 0, 1);
    const between = await readingOf(world, [first]);
    assert.deepEqual(countsOf(before, between), { [first]: { requests: 1, errors: 1 } });
    assert.deepEqual(countsOf(between, await readingOf(world, [first])), {
      [first]: { requests: 0, errors: 0 },
    });
  });

  does('times are those of answers, and there are none before one', async (world, { first }) => {
    const before = await readingOf(world, [first]);
    assert.ok(membersOf(before).every((counts) => counts.times === undefined));
    await world.serve(first, 4, 0);
    const after = await readingOf(world, [first]);
    const [counts] = trafficBetween(before, after).members;
    assert.ok(counts?.times && Object.values(counts.times).every((ms) => ms >= 0 && ms < 60_000));
    assert.equal(trafficBetween(after, await readingOf(world, [first])).members[0]?.times, undefined);
  });

  does(
    'only the members that were asked for are there, and none that is not in the pool',
    async (world, names) => {
      const { second } = names;
      const found = membersOf(await readingOf(world, [second, 'nobody'])).map(({ member }) => member);
      assert.deepEqual([...new Set(found)], [second]);
    },
  );

  does('a process that has begun again leaves a gap, and no fall', async (world, { first }) => {
    await world.serve(first, 3, 0);
    const before = await readingOf(world, [first]);
    await world.restart();
    await world.serve(first, 5, 1);
    const after = await readingOf(world, [first]);
    const step = trafficBetween(before, after);
    assert.deepEqual(step.members, []);
    assert.match(String(step.missing), /has begun again/);
    await world.serve(first, 1, 0);
    assert.deepEqual(countsOf(after, await readingOf(world, [first])), {
      [first]: { requests: 1, errors: 0 },
    });
  });

  does('a reading survives JSON', async (world, { first }) => {
    const before = JSON.parse(JSON.stringify(await readingOf(world))) as TrafficReading;
    await world.serve(first, 1, 1);
    assert.deepEqual(countsOf(before, await readingOf(world))[first], { requests: 2, errors: 1 });
  });

  does('a pool that is not there is an unknown member', async (world) => {
    const read = world.statistics.read({ pool: 'nothing', members: world.members }, signal);
    await rejectsWith('balancer_member_unknown', read);
  });

  does('one that is gone is unreachable', async (world) => {
    await world.vanish();
    await rejectsWith('balancer_unreachable', world.statistics.read(world, signal));
  });

  does('rejects with the reason of the signal of the caller', async (world) => {
    const stopped = AbortSignal.abort(new Error('enough'));
    await assert.rejects(world.statistics.read(world, stopped), /enough/);
  });
}

type Names = { readonly first: string; readonly second: string };

/** What a balancer that counts says of these members, or of all. */
export async function readingOf(
  { statistics, pool, members }: Pick<StatisticsWorld, 'statistics' | 'pool' | 'members'>,
  wanted = members,
): Promise<TrafficReading> {
  const answer = await statistics.read({ pool, members: wanted }, signal);
  assert.ok(answer.kind === 'counted', JSON.stringify(answer));
  return answer;
}

const membersOf = ({ instances }: TrafficReading) =>
  instances.flatMap((instance) => (instance.kind === 'counted' ? instance.members : []));

/** Requests and errors of each member that has no gap, by its name. */
export function countsOf(before: TrafficReading, after: TrafficReading) {
  const { members } = trafficBetween(before, after);
  return Object.fromEntries(members.map(({ member, requests, errors }) => [member, { requests, errors }]));
}
