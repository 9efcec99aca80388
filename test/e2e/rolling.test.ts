import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { type Load, type LoadReport, startLoad } from '../../src/lab/load.ts';
import { type EdgeEnd, jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, POOL, PROJECT } from '../support/estate-configuration.ts';
import { ask, type Observation, serversOf, startObserver } from '../support/observer.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const skip = sshd.skip ?? haproxy.skip ?? false;

const HOSTS = 20;
/** 75 % of them. The strategy would take eight at once. */
const FLOOR = 15;
const STRATEGY = '{ canary: 1, batches: [50%, 100%], parallel: 8, settleMs: 0 }';
const PLACE = [PROJECT, ENVIRONMENT] as const;

describe('20 real SSH hosts behind a real HAProxy, under load by clients that never retry', { skip }, () => {
  let estate: Estate;

  before(async () => {
    estate = await openEstate({
      sshdPath: sshd.path ?? '',
      haproxyPath: haproxy.path ?? '',
      network: '127.72.1',
      hosts: HOSTS,
      versions: ['v1', 'v2'],
      minInService: '75%',
      strategy: STRATEGY,
    });
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
  });
  after(() => estate?.stop());

  for (const { title, command, to, seen } of [
    { title: 'a rolling deployment', command: ['deploy', ...PLACE, 'v2'], to: 'v2', seen: ['v1', 'v2'] },
    { title: 'a rolling restart', command: ['restart', ...PLACE], to: 'v2', seen: ['v2'] },
    { title: 'a rollback', command: ['rollback', ...PLACE], to: 'v1', seen: ['v1', 'v2'] },
  ]) {
    test(`${title} fails no request, and goes down to the floor of ${FLOOR} but never under it`, async (t) => {
      const { end, load, observed } = await underLoad(t, estate, command);
      expectDone(end);
      assert.deepEqual(load.failures, {}, JSON.stringify(load.samples));
      assert.equal(load.failed, 0);
      assert.deepEqual(Object.keys(load.byVersion).sort(), seen);
      assert.equal(observed.lowestInService, FLOOR);
      assert.deepEqual(observed.deaf, {});
      assert.deepEqual(new Set(await estate.served()), new Set([to]));
    });
  }

  test('members that people took out count in the floor, and are left as they were', async (t) => {
    const { socket } = estate.haproxy;
    await ask(socket, `set server ${POOL}/web-7 state maint`);
    await ask(socket, `set server ${POOL}/web-8 weight 64`);
    const { end, load, observed } = await underLoad(t, estate, ['restart', ...PLACE]);
    expectDone(end);
    assert.deepEqual(load.failures, {}, JSON.stringify(load.samples));
    assert.equal(observed.lowestInService, FLOOR);
    const servers = await serversOf(socket, POOL);
    assert.deepEqual(servers.get('web-7'), { isServing: false, adminState: 1, weight: 1 });
    assert.deepEqual(servers.get('web-8'), { isServing: true, adminState: 0, weight: 64 });
    await ask(socket, `set server ${POOL}/web-7 state ready`);
    await until('web-7 serves', async () => (await serversOf(socket, POOL)).get('web-7')?.isServing === true);
  });

  test('with the drain left out, the same deployment under the same load fails requests', async (t) => {
    const { end, load, observed } = await underLoad(t, estate, ['deploy', ...PLACE, 'v2', '--hard']);
    expectDone(end);
    assert.ok(load.failed > 0);
    assert.notDeepEqual(observed.deaf, {}, 'the observer would have seen it');
    assert.deepEqual(new Set(await estate.served()), new Set(['v2']));
  });
});

type Run = { readonly end: EdgeEnd; readonly load: LoadReport; readonly observed: Observation };

/** Runs a command of the CLI to its end, with requests before, while and after, and somebody who looks from outside. */
async function underLoad(t: TestContext, estate: Estate, command: readonly string[]): Promise<Run> {
  const url = estate.haproxy.url(POOL);
  const slow = { every: 10, path: '/slow?ms=300' };
  const load = startLoad({ url, ratePerS: 100, slow, timeoutMs: 60_000 });
  const observer = startObserver({
    socket: estate.haproxy.socket,
    backend: POOL,
    appUrls: Object.fromEntries(estate.targets.map(({ name, appUrl }) => [name, appUrl])),
    everyMs: 50,
  });
  try {
    await answered(load, 100);
    const end = await estate.edge(...command, '--yes', '--json');
    await answered(load, 100);
    const run = { end, load: await load.stop(), observed: await observer.stop() };
    t.diagnostic(figuresOf(run));
    return run;
  } finally {
    await load.stop();
    await observer.stop();
  }
}

async function answered(load: Load, more: number): Promise<void> {
  const { total } = load.report();
  await until(`${more} more answers`, () => load.report().total >= total + more, 60_000);
}

function figuresOf({ end, load, observed }: Run): string {
  const { deployment } = jsonOf(end) as { deployment?: { createdAt: number; endedAt: number } };
  const seconds = deployment ? (deployment.endedAt - deployment.createdAt) / 1000 : 'no';
  return `${seconds} s; ${load.total} requests, ${load.failed} failed, ${load.notSent} not sent; ${observed.looks} looks, at least ${observed.lowestInService} in service`;
}
