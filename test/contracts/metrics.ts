import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type MetricGrid, type MetricsAnswer, MOST_POINTS, type Series } from '../../src/domain/metrics.ts';
import type { MetricsSource } from '../../src/ports/metrics.ts';
import { perTest } from '../support/per-test.ts';
import { rejectsWith } from './load-balancer.ts';

/** What was measured, once. */
export type WorldSample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly atMs: number;
  readonly value: number;
};

/** What the source is made with. */
export type WorldSettings = {
  readonly samples: readonly WorldSample[];
  /** The time that Edge has. */
  readonly now: () => number;
  readonly timeoutMs: number;
  /** Only what is older is complete. */
  readonly delayMs: number;
};

/** A source that has samples from the start, and the hands to change its world. A sample is the value of points up to 5 minutes later. */
export type MetricsWorld = {
  readonly source: MetricsSource;
  /** In the language of the source: all series of a name, or those of a server. */
  select(name: string, server?: string): string;
  /** A query that the source cannot read. */
  readonly nonsense: string;
  /** From now on it can read only a part of its data, or all again; left out for a source that never says so. */
  setPartial?(isPartial: boolean): Promise<void>;
  /** It is gone. */
  break(): Promise<void>;
  /** It is there again, with all that it had. */
  mend(): Promise<void>;
  /** It takes what it is asked, and says nothing. */
  hang(): Promise<void>;
  dispose(): Promise<void>;
};

/** What a kind of source is not able to do, so that nobody can see what the adapter makes of it. */
export type WorldLimits = {
  /** Whether it can keep a sample at all; others are left out of its world. */
  readonly holds?: (sample: WorldSample) => boolean;
  /** It never says that an answer is a part. */
  readonly neverPartial?: boolean;
};

const signal = new AbortController().signal;
const START = Date.UTC(2026, 0, 5, 10);
const MINUTE = 60_000;
/** Longer than any source lets a sample stand for the values after it. */
const STEP = 10 * MINUTE;
const DELAY = 30_000;
const GRID: MetricGrid = { fromMs: START, toMs: START + 3 * STEP, stepMs: STEP };
const PATIENT = 30_000;

const sample = (server: string, step: number, value: number): WorldSample => ({
  ...{ name: 'errors', labels: { server, zone: 'a' }, atMs: START + step * STEP, value },
});
const steady = (server: string, value: number) => [0, 1, 2, 3].map((step) => sample(server, step, value));
const TWO = [...steady('web-1', 1), ...steady('web-2', 2)];

type Body = (world: MetricsWorld, setNow: (ms: number) => void) => Promise<void>;

/** What every `MetricsSource` does, run on each adapter. `skip` is why it cannot run here. */
export function metricsContract(
  name: string,
  make: (settings: WorldSettings) => Promise<MetricsWorld>,
  skip?: string,
  { holds = () => true, neverPartial = false }: WorldLimits = {},
): void {
  const start = perTest(make);
  const does = (
    title: string,
    { samples = TWO, timeoutMs = PATIENT }: { samples?: readonly WorldSample[]; timeoutMs?: number },
    body: Body,
  ): void => {
    test(`${name}: ${title}`, { skip: skip ?? false }, async () => {
      let now = START + 24 * 60 * MINUTE;
      const world = await start({ samples, timeoutMs, delayMs: DELAY, now: () => now });
      await body(world, (ms) => {
        now = ms;
      });
    });
  };

  const counting = [0, 1, 2, 3].map((step) => sample('web-1', step, step * 1.5));
  does('gives a value for each point of the grid, both ends too', { samples: counting }, async (world) => {
    assert.deepEqual((await found(world)).map(valuesOf), [[0, 1.5, 3, 4.5]]);
    const inside = { ...GRID, fromMs: START + STEP, toMs: START + 3 * STEP - 1 };
    assert.deepEqual((await found(world, inside)).map(valuesOf), [[1.5, 3]]);
    assert.deepEqual((await found(world, { ...GRID, toMs: START })).map(valuesOf), [[0]]);
  });

  does('gives all series of a query with their names and labels', {}, async (world) => {
    assert.deepEqual(await found(world), [
      { name: 'errors', labels: { server: 'web-1', zone: 'a' }, values: [1, 1, 1, 1] },
      { name: 'errors', labels: { server: 'web-2', zone: 'a' }, values: [2, 2, 2, 2] },
    ]);
    assert.deepEqual((await found(world, GRID, 'web-2')).map(valuesOf), [[2, 2, 2, 2]]);
  });

  does('what matches nothing is empty, and so is a time without a sample', {}, async (world) => {
    for (const text of [world.select('nothing'), world.select('errors', 'web-9')])
      assert.equal((await ask(world, text)).kind, 'empty');
    const before = { ...GRID, fromMs: START - 3 * STEP, toMs: START - STEP };
    assert.equal((await ask(world, world.select('errors'), before)).kind, 'empty');
  });

  const gaps = [sample('web-1', 0, 1), sample('web-1', 3, 4), sample('web-2', 2, 0)];
  does('a gap has no value, and zero is one', { samples: gaps }, async (world) => {
    assert.deepEqual((await found(world)).map(valuesOf), [
      [1, null, null, 4],
      [null, null, 0, null],
    ]);
  });

  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1e-9]
    .map((value, step) => sample('web-1', step, value))
    .filter(holds);
  does('NaN and infinity are what the source says, and no gap', { samples: odd }, async (world) => {
    const values = [0, 1, 2, 3].map((step) => odd.find(({ atMs }) => atMs === START + step * STEP)?.value);
    assert.deepEqual((await found(world)).map(valuesOf), [values.map((value) => value ?? null)]);
  });

  const between = [sample('web-1', 0.9, 7), sample('web-1', 1.05, 8), sample('web-1', 2.9, 9)];
  does(
    'a sample is the value of the next points, not of those before',
    { samples: between },
    async (world) => {
      assert.deepEqual((await found(world)).map(valuesOf), [[null, 7, null, 9]]);
    },
  );

  does('times are kept to the millisecond', { samples: [sample('web-1', 0, 1)] }, async (world) => {
    const fine = { fromMs: START - 123, toMs: START + 877, stepMs: 100 };
    const [values = []] = (await found(world, fine)).map(valuesOf);
    assert.deepEqual(values, [null, null, ...Array(9).fill(1)]);
  });

  does('what is still to come is told from a gap', {}, async (world, setNow) => {
    setNow(START + 2 * STEP + DELAY - 1);
    const answer = await ask(world, world.select('errors', 'web-1'));
    assert.ok(answer.kind === 'series', answer.kind);
    assert.equal(answer.completeToMs, START + 2 * STEP - 1);
    assert.deepEqual(answer.series.map(valuesOf), [[1, 1, null, null]]);
    setNow(START + 2 * STEP + DELAY);
    assert.deepEqual((await found(world, GRID, 'web-1')).map(valuesOf), [[1, 1, 1, null]]);
  });

  does('where nothing is complete yet it is asked too early', {}, async (world, setNow) => {
    setNow(START + DELAY - 1);
    assert.deepEqual(await ask(world, world.select('errors')), {
      kind: 'early',
      completeToMs: START - 1,
    });
  });

  const givesParts: Body = async (world) => {
    assert.ok(world.setPartial);
    await world.setPartial(true);
    const answer = await ask(world, world.select('errors', 'web-1'));
    assert.ok(answer.kind === 'partial', answer.kind);
    assert.deepEqual(answer.series.map(valuesOf), [[1, 1, 1, 1]]);
    assert.ok(answer.warnings.length > 0 && answer.warnings.every((warning) => warning !== ''));
    const nothing = await ask(world, world.select('nothing'));
    assert.ok(nothing.kind === 'partial' && nothing.series.length === 0, nothing.kind);
    await world.setPartial(false);
    assert.equal((await ask(world, world.select('errors'))).kind, 'series');
  };
  if (!neverPartial) does('what is here of an answer is given as a part, and why', {}, givesParts);

  const hostile = [
    'a"b',
    "it's",
    'a\\b',
    'two\nlines',
    'web-1"} or errors{server="',
    '{{server}}',
    'é😀%20&x=1',
  ]
    .map((server) => sample(server, 0, 1))
    .filter(holds);
  does(
    'a server is found by its name and by no other, whatever its letters are',
    { samples: hostile.concat(sample('web-1', 0, 1)) },
    async (world) => {
      for (const { labels } of hostile) {
        const series = await found(world, GRID, labels.server);
        assert.deepEqual(
          series.map((one) => one.labels.server),
          [labels.server],
        );
      }
    },
  );

  does('queries at the same time have each its own answer', {}, async (world) => {
    const servers = Array.from({ length: 12 }, (_, index) => `web-${(index % 2) + 1}`);
    const answers = await Promise.all(servers.map((server) => found(world, GRID, server)));
    assert.deepEqual(
      answers.map(([series]) => series?.labels.server),
      servers,
    );
  });

  does('a query that it cannot read is refused, and asked again no better', {}, async (world) => {
    for (const text of [world.nonsense, world.nonsense])
      await rejectsWith('metrics_refused', ask(world, text));
  });

  does('what is no grid is refused, and too many points are too much', {}, async (world) => {
    const text = world.select('errors');
    for (const wrong of [{ stepMs: 0 }, { toMs: START - 1 }, { fromMs: Number.NaN }])
      await rejectsWith('metrics_refused', ask(world, text, { ...GRID, ...wrong }));
    const most = { fromMs: START, toMs: START + (MOST_POINTS - 1) * 100, stepMs: 100 };
    const [first] = await found(world, most);
    assert.equal(first?.values.length, MOST_POINTS);
    await rejectsWith('metrics_limit', ask(world, text, { ...most, toMs: most.toMs + 100 }));
  });

  does('one that is gone is unreachable, and answers when it is there again', {}, async (world) => {
    const before = await found(world);
    await world.break();
    await rejectsWith('metrics_unreachable', ask(world, world.select('errors')));
    await world.mend();
    assert.deepEqual(await found(world), before);
  });

  does('one that says nothing in time is unreachable', { timeoutMs: 300 }, async (world) => {
    await world.hang();
    await rejectsWith('metrics_unreachable', ask(world, world.select('errors')));
  });

  does('rejects with the reason of the signal of the caller, at any time', {}, async (world) => {
    const query = { ...GRID, text: world.select('errors') };
    await assert.rejects(world.source.query(query, AbortSignal.abort(new Error('enough'))), /enough/);
    await world.hang();
    const stopping = new AbortController();
    const asked = world.source.query(query, stopping.signal);
    await Promise.all([
      assert.rejects(asked, /enough/),
      wait(50).then(() => stopping.abort(new Error('enough'))),
    ]);
  });
}

const valuesOf = ({ values }: Series) => values;

const ask = ({ source }: MetricsWorld, text: string, grid = GRID): Promise<MetricsAnswer> =>
  source.query({ ...grid, text }, signal);

/** The series of errors, of one server or of all, in the order of the names of their servers. */
async function found(world: MetricsWorld, grid = GRID, server?: string): Promise<readonly Series[]> {
  const answer = await ask(world, world.select('errors', server), grid);
  assert.ok(answer.kind === 'series', JSON.stringify(answer));
  const nameOf = ({ labels }: Series): string => labels.server ?? '';
  return answer.series.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
