import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { until } from '../../test/support/until.ts';
import { startLabMetrics } from './metrics.ts';

type Answer = { series: { labels: { instance: string }; values: (number | null)[] }[] };

/** An application whose counters the test sets, and what its lab tells of it. */
async function withMetrics(
  body: (given: {
    counted: { requests: number; failed: number };
    ask: (query: string) => Promise<(number | null)[]>;
    url: string;
  }) => Promise<void>,
): Promise<void> {
  const counted = { requests: 0, failed: 0 };
  const application = createServer((_, response) => {
    const good = counted.requests - counted.failed;
    response.end(
      `# TYPE http_requests_total counter\nhttp_requests_total{code="200",path="/",version="v1"} ${good}\n` +
        `http_requests_total{code="503",path="/",version="v1"} ${counted.failed}\n`,
    );
  });
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(application.address() as AddressInfo).port}`;
  const metrics = await startLabMetrics([{ instance: 'web-1', url }]);
  const ask = async (query: string) => {
    const now = Date.now();
    const search = new URLSearchParams({ q: query, from: String(now), to: String(now), step: '1000' });
    const answer = await fetch(`${metrics.url}/series?${search}`);
    return ((await answer.json()) as Answer).series.flatMap(({ values }) => values);
  };
  try {
    await body({ counted, ask, url: metrics.url });
  } finally {
    await metrics.stop();
    application.closeAllConnections();
    application.close();
  }
}

test('the metrics of a lab tell how much was counted in a while, and nothing of a counter that was set back', () =>
  withMetrics(async ({ counted, ask }) => {
    assert.deepEqual(await ask('failed 2s'), [null]);
    await until('it was read for a while', async () => (await ask('failed 2s'))[0] === 0);
    counted.requests += 100;
    counted.failed += 7;
    await until('the failures are told', async () => (await ask('failed 2s'))[0] === 7);
    assert.deepEqual(await ask('requests 2s'), [100]);
    counted.requests = 3;
    counted.failed = 0;
    await until('a restart is seen', async () => (await ask('failed 2s'))[0] === null);
  }));

test('what is no question is refused', () =>
  withMetrics(async ({ url }) => {
    for (const search of ['', '?q=failed', '?q=other 5s&from=1&to=2&step=1000', '?q=failed 5s&from=1&to=2'])
      assert.equal((await fetch(`${url}/series${search}`)).status, 400, search);
  }));
