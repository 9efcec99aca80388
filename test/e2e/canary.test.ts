import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { type Load, startLoad } from '../../src/lab/load.ts';
import { type EdgeEnd, jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, POOL, PROJECT } from '../support/estate-configuration.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const prometheus = requireService('prometheus');
const skip = sshd.skip ?? haproxy.skip ?? prometheus.skip ?? false;

const PLACE = [PROJECT, ENVIRONMENT] as const;
const JUDGE = 'judge:canary';
const FAULTY = 'v3';
const PATIENCE_MS = 180_000;
/** Steps of 4 s: a rate needs four scrapes. */
const ANALYSIS = {
  metrics: [
    {
      ...{ name: 'errors', source: 'prometheus' },
      query: 'sum by (instance) (increase(http_requests_total{code=~"5.."}[{{window}}]))',
      of: 'sum by (instance) (increase(http_requests_total[{{window}}]))',
    },
  ],
  ...{ stepMs: 4_000, warmUpMs: 4_000, mostMs: 40_000, historyMs: 60_000, staleSteps: 3 },
};

/** Nothing is measured: what the balancer counts needs no scrapes, so that its steps are shorter. */
const COUNTED = {
  metrics: [{ name: 'errors', source: 'balancer' }],
  ...{ stepMs: 2_000, warmUpMs: 2_000, mostMs: 60_000, staleSteps: 10 },
};

/** What the commands of a deployment say of it when they end. */
type Said = {
  readonly deployment: { readonly status: string; readonly reason: string; readonly id: string };
  readonly rollback?: { readonly status: string } | null;
};

/** How many queries a Prometheus has answered, as it says itself. */
async function queriesAt({ url }: Prometheus): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const answered = /^prometheus_http_requests_total\{code="200",handler="\/api\/v1\/query_range"\} (\d+)$/m;
  return Number(answered.exec(page)?.[1] ?? 0);
}

describe('a canary on six real SSH hosts behind a real HAProxy, measured by a real Prometheus, under 200 requests/s', {
  skip,
}, () => {
  let estate: Estate;
  let source: Prometheus;
  let load: Load;

  before(async () => {
    estate = await openEstate({
      ...{ sshdPath: sshd.path ?? '', haproxyPath: haproxy.path ?? '', network: '127.74.1', hosts: 6 },
      ...{ versions: ['v1', 'v2', FAULTY], failing: { [FAULTY]: 0.03 }, minInService: '50%' },
      strategy: '{ canary: 1, batches: [100%], settleMs: 0 }',
      project: `analysis: ${JSON.stringify(ANALYSIS)}`,
    });
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
    const scrapes = estate.targets.map(({ appUrl }) => new URL(appUrl).host);
    source = await startPrometheus({ path: prometheus.path ?? '', samples: [], scrapes });
    const metrics = { prometheus: { kind: 'prometheus', url: source.url, timeoutMs: 5_000, delayMs: 3_000 } };
    await estate.configure({ environment: `metrics: ${JSON.stringify(metrics)}\n` });
    load = startLoad({ url: estate.haproxy.url(POOL), ratePerS: 200, timeoutMs: 60_000, faulty: FAULTY });
  });
  after(async () => {
    await load?.stop();
    await source?.stop();
    await estate?.stop();
  });

  const deploy = (version: string): Promise<EdgeEnd> =>
    estate.edge('deploy', ...PLACE, version, '--yes', '--json');
  const rowOf = (end: EdgeEnd): Said['deployment'] => (jsonOf(end) as Said).deployment;

  test('a clean release passes, and goes to all servers', async () => {
    const end = await deploy('v2');
    expectDone(end);
    assert.deepEqual(new Set(await estate.served()), new Set(['v2']));
    const logs = await estate.edge('logs', rowOf(end).id, '--target', JUDGE);
    assert.match(logs.stdout, /time,metric,side,server,value,of/);
  });

  /** Stopped at the canary and rolled back, as the people whose requests these are see it. */
  const expectStopped = async (end: EdgeEnd): Promise<string> => {
    const { status, reason } = rowOf(end);
    assert.notEqual(end.status, 0);
    assert.equal(status, 'failed', reason);
    assert.match(reason, /the canary is worse; judge:canary: errors is .* times that of the baseline/);
    await until('all serve v2 again', async () =>
      (await estate.served()).every((version) => version === 'v2'),
    );
    const { failed, errors, failures } = load.report();
    assert.equal(failed, 0, JSON.stringify(failures));
    assert.ok(errors > 0);
    return reason;
  };

  test('one that answers 3 % of its requests with errors is stopped at its canary and rolled back within three minutes', async (t) => {
    const begin = performance.now();
    const reason = await expectStopped(await deploy(FAULTY));
    t.diagnostic(`${Math.round((performance.now() - begin) / 1_000)} s: ${reason}`);
  });

  test('with its Prometheus gone in the middle there is nothing to judge it by, and a person is asked', async () => {
    const before = await queriesAt(source);
    const running = estate.start('deploy', ...PLACE, 'v1', '--yes', '--json');
    await until('it is judged', async () => (await queriesAt(source)) >= before + 2, PATIENCE_MS);
    await source.kill();
    const end = await running.ended;
    const { status, reason, id } = rowOf(end);
    assert.equal(status, 'paused', reason);
    assert.match(reason, /there is nothing to judge the canary by; judge:canary: .*prometheus/);
    await source.start();
    expectDone(await estate.edge('rollback', id, '--reason', 'nobody knows', '--yes', '--json'));
    await until('all serve v2 again', async () =>
      (await estate.served()).every((version) => version === 'v2'),
    );
  });

  test('without any Prometheus the same release is stopped by what HAProxy itself counts', async (t) => {
    await source.kill();
    await estate.configure({ project: `analysis: ${JSON.stringify(COUNTED)}`, environment: '' });
    const { stdout: plan } = await estate.edge('plan', ...PLACE, FAULTY);
    assert.match(plan, /compare web-1 with web-6 by errors \(of requests, as the balancer counts them\)/);
    const begin = performance.now();
    const end = await deploy(FAULTY);
    const reason = await expectStopped(end);
    t.diagnostic(`${Math.round((performance.now() - begin) / 1_000)} s: ${reason}`);
    const logs = await estate.edge('logs', rowOf(end).id, '--target', JUDGE);
    assert.match(logs.stdout, /,errors,canary,web-1,\d+,\d+/);
    assert.match(logs.stdout, /,errors,baseline,web-6,0,\d+/);
  });
});
