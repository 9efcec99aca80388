import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { createGraphiteMetrics } from '../../src/adapters/graphite/metrics.ts';
import { systemSecrets } from '../../src/adapters/system/secrets.ts';
import { EdgeError } from '../../src/domain/errors.ts';
import { fillQuery } from '../../src/domain/metric-query.ts';
import {
  type MetricsWorld,
  metricsContract,
  type WorldSample,
  type WorldSettings,
} from '../contracts/metrics.ts';
import { realClock } from '../support/clock.ts';
import { type Graphite, startGraphite } from '../support/graphite.ts';
import { perTest } from '../support/per-test.ts';
import { requireNoWidening } from '../support/widening-names.ts';

const { path = '', skip } = requireService('graphite');
const secrets = systemSecrets({});
const signal = new AbortController().signal;

/** It takes seconds to start, and is one for all tests. */
let shared: Graphite | undefined;
before(async () => {
  if (skip === undefined) shared = await startGraphite(path);
});
after(() => shared?.stop());

async function graphiteWith(samples: readonly WorldSample[]): Promise<Graphite> {
  assert.ok(shared);
  await shared.fill(samples);
  return shared;
}

async function makeWorld({ samples, now, timeoutMs, delayMs }: WorldSettings): Promise<MetricsWorld> {
  const graphite = await graphiteWith(samples);
  const source = createGraphiteMetrics(
    { url: graphite.url, tls: 'none', timeoutMs, delayMs, reachMs: 300_000 },
    { clock: { ...realClock, now }, secrets },
  );
  return {
    source,
    select,
    nonsense: 'nosuchfunction(errors)',
    break: graphite.kill,
    mend: graphite.start,
    hang: async () => graphite.freeze(),
    dispose: async () => {
      await source.close();
      await graphite.revive();
    },
  };
}

/** No escape is known to Graphite, but two kinds of quotes. */
function select(name: string, server?: string): string {
  if (server === undefined) return `seriesByTag('name=${name}')`;
  const [filled] = [`'server={{server}}'`, `"server={{server}}"`]
    .map((tag) => fillQuery(`seriesByTag('name=${name}', ${tag})`, { server }, 'graphite'))
    .filter(({ kind }) => kind === 'filled');
  assert.ok(filled?.kind === 'filled', server);
  return filled.text;
}

metricsContract('Graphite', makeWorld, skip, {
  // Its JSON says null in place of NaN, and a text in a target can have neither a new line nor an escape.
  holds: ({ value, labels }) => !Number.isNaN(value) && !/[\n\\]/.test(labels.server ?? ''),
  neverPartial: true,
});

const START = Date.UTC(2026, 0, 5, 10);
const MINUTE = 60_000;
const GRID = { fromMs: START, toMs: START + 3 * MINUTE, stepMs: MINUTE };
const ERRORS = ['web-1', 'web-10'].flatMap((server) =>
  [0, 1, 2].map((minute) => ({
    ...{ name: 'errors', labels: { server }, atMs: START + minute * MINUTE, value: minute + 1 },
  })),
);

const running = perTest(async () => {
  const graphite = await graphiteWith(ERRORS);
  const source = createGraphiteMetrics(
    { url: graphite.url, tls: 'none', timeoutMs: 30_000, delayMs: 0 },
    { clock: realClock, secrets },
  );
  return { ask: (text: string) => source.query({ ...GRID, text }, signal), dispose: () => source.close() };
});

const does = (title: string, body: () => Promise<void>): void => {
  test(`Graphite: ${title}`, { skip: skip ?? false }, body);
};

does('functions of series have a name of their own, and what they give comes onto the grid', async () => {
  const { ask } = await running();
  const sum = await ask(`alias(sumSeries(seriesByTag('name=errors')), 'all')`);
  assert.ok(sum.kind === 'series');
  assert.deepEqual(sum.series, [{ name: 'all', labels: { aggregatedBy: 'sum' }, values: [2, 4, 6, null] }]);
  const window = await ask(`summarize(seriesByTag('server=web-1'), '60s', 'max')`);
  assert.ok(window.kind === 'series');
  assert.deepEqual(
    window.series.map(({ values }) => values),
    [[1, 2, 3, null]],
  );
});

does('a pattern finds one server where it is bound on both sides', async () => {
  const { ask } = await running();
  for (const [pattern, found] of [
    ['{{server}}', 2],
    ['{{server}}$', 1],
  ] as const) {
    const filled = fillQuery(`seriesByTag('server=~${pattern}')`, { server: 'web-1' }, 'graphite');
    assert.ok(filled.kind === 'filled');
    const answer = await ask(filled.text);
    assert.equal(answer.kind === 'series' ? answer.series.length : 0, found, pattern);
  }
});

does('no name of a server finds another server', async () => {
  const { ask } = await running();
  const templates = [
    ...[`seriesByTag('server={{server}}')`, `seriesByTag("name=errors", "server={{server}}")`],
    ...[`seriesByTag('server=~^{{server}}$')`, `seriesByTag("server=~^({{server}}|none)$")`],
  ];
  await requireNoWidening({ language: 'graphite', templates, ask });
});

does('what it cannot read to its end it reads in part, and finds nothing', async () => {
  const { ask } = await running();
  for (const text of [`seriesByTag('server=web-1'`, 'errors{', 'a.b.c', 'sumSeries('])
    assert.equal((await ask(text)).kind, 'empty', text);
});

does('says what is wrong with a function and what it is given', async () => {
  const { ask } = await running();
  for (const [text, says] of [
    ['nosuch(a)', /status 400: Invalid parameters \(Received request for unknown function: nosuch\)/],
    [
      `scale(seriesByTag('server=web-1'), 'x')`,
      /status 500: ValueError: could not convert string to float: 'x'/,
    ],
    [
      `seriesByTag('server=')`,
      /status 500: ValueError: At least one tagspec must not match the empty string/,
    ],
  ] as const)
    await assert.rejects(ask(text), (error: unknown) => {
      assert.ok(error instanceof EdgeError && error.code === 'metrics_refused', String(error));
      assert.match(error.message, says);
      return true;
    });
});
