import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { requireService } from '../../scripts/services.ts';
import { freePort } from '../support/free-port.ts';
import type { MemberServer } from '../support/member-server.ts';
import { onFronts } from '../support/on-fronts.ts';
import { type Ended, openScene, type Scene } from '../support/scene.ts';
import type { Setting } from '../support/scene-configuration.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
/** Its monitor looks every 100 ms; a machine under load takes longer. */
const MONITOR_SEES_MS = 2_000;
const ABORT = { onFailure: { health: 'abort', other: 'abort' } };

type Page = { status?: number; body?: string; version?: string };
const health = (check: object, more: object = {}): Setting => ({
  project: { health: { check, passes: 1, intervalMs: 100, windowMs: 600, ...more } },
  policy: ABORT,
});
const byMonitor = health({ kind: 'balancer' }, { passes: 2, windowMs: 2_000 });

describe('health of a target', { skip: sshd.skip ?? false }, () => {
  let scene: Scene;
  let server: Server;
  let port: number;
  /** What the health page answers from now on, one after the other; the last for ever. */
  let pages: Page[];

  before(async () => {
    scene = await openScene({ sshdPath: sshd.path ?? '', network: '127.84.1', servers: 1, fronts: [] });
    server = createServer((_, outgoing) => {
      const { status = 200, body = '', version = '' } = (pages.length > 1 ? pages.shift() : pages[0]) ?? {};
      outgoing.writeHead(status, { 'x-version': version, connection: 'close' }).end(body);
    }).listen(0, scene.fleet.hosts[0]?.address);
    await once(server, 'listening');
    const bound = server.address();
    port = typeof bound === 'object' && bound ? bound.port : 0;
  });
  after(async () => {
    server?.close();
    await scene?.stop();
  });
  afterEach(() => scene.tidy());

  /** A deployment with this check, while the page answers so. */
  async function deployed(setting: Setting, ...answers: Page[]) {
    pages = answers;
    await scene.configure({ ...setting, ofTarget: () => ({ port }) });
    const { deployment, view } = await scene.rests(await scene.deploy());
    return { status: deployment.status, reason: view.targets[0]?.reason ?? '' };
  }

  test('«over HTTP, health is a status, a text, a value in JSON and the version in a header», and «the cause of a failed health check is shown»', async () => {
    const http = { kind: 'http', path: '/health' };
    const cases: readonly (readonly [object, Page, Page, RegExp])[] = [
      [{ ...http, status: 204 }, { status: 204 }, { status: 503 }, /answered 503, not 204/],
      [
        { ...http, body: 'is well' },
        { body: 'all is well' },
        { body: 'ill' },
        /without `is well` in its body/,
      ],
      [
        { ...http, json: { path: 'checks.0.state', equals: 'ok' } },
        { body: '{"checks":[{"state":"ok"}]}' },
        { body: '{"checks":[{"state":"no"}]}' },
        /says `checks.0.state` is "no", not "ok"/,
      ],
      [
        { ...http, version: { header: 'X-Version' } },
        { version: 'v1' },
        { version: 'v0' },
        /runs `v0`, not `v1`/,
      ],
    ];
    for (const [check, good, bad, cause] of cases) {
      assert.equal((await deployed(health(check), good)).status, 'succeeded', String(cause));
      const { status, reason } = await deployed(health(check), bad);
      assert.equal(status, 'failed');
      assert.match(reason, cause);
    }
  });

  test('«health is a port that takes connections»', async () => {
    const check = { kind: 'tcp' };
    assert.equal((await deployed(health(check), {})).status, 'succeeded');
    const open = port;
    port = await freePort(scene.fleet.hosts[0]?.address);
    const { status, reason } = await deployed(health(check), {});
    port = open;
    assert.equal(status, 'failed');
    assert.match(reason, /port \d+ of 127\.84\.1\.1 cannot be reached/);
  });

  test('«health is a command that succeeds on the host»', async () => {
    const file = join(scene.fleet.folder, 'well');
    const check = {
      kind: 'command',
      argv: ['sh', '-c', `test -e ${file} || { echo 'is ill' >&2; exit 7; }`],
    };
    await writeFile(file, '');
    assert.equal((await deployed(health(check), {})).status, 'succeeded');
    await rm(file);
    const { status, reason } = await deployed(health(check), {});
    assert.equal(status, 'failed');
    assert.match(reason, /ended with exit status 7: is ill/);
  });

  test('«healthy means so many passes in a row within a window»', async () => {
    const check = { kind: 'http', path: '/health' };
    const three = health(check, { passes: 3, windowMs: 20_000 });
    const [well, ill]: [Page, Page] = [{}, { status: 500 }];
    assert.equal((await deployed(three, ill, well, well, ill, well, well, well, ill)).status, 'succeeded');
    assert.deepEqual(pages, [ill], 'five looks, and then three in a row');
    const late = await deployed(health(check, { passes: 3, windowMs: 600 }), ill);
    assert.equal(late.status, 'failed');
    assert.match(late.reason, /needed are 3 in a row within 0.6 s/);
  });

  test('«a target that flaps fails»', async () => {
    const turns = Array.from({ length: 200 }, (_, n): Page => ({ status: n % 2 === 0 ? 200 : 500 }));
    const check = { kind: 'http', path: '/health' };
    const { status, reason } = await deployed(health(check, { passes: 2, windowMs: 1_500 }), ...turns);
    assert.equal(status, 'failed');
    assert.match(reason, /it flaps, well and ill again \d+ times/);
  });
});

/** A deployment during which the server becomes ill, and its monitor has seen it before the work on it ends. */
async function illMeanwhile(scene: Scene, server: MemberServer): Promise<Ended> {
  await scene.make(server, 'hold');
  const id = await scene.deploy();
  await until('it is being worked on', () => scene.isHeld(server), 60_000);
  server.healthy = false;
  await wait(MONITOR_SEES_MS);
  await scene.make(server, 'go');
  return scene.rests(id);
}

onFronts({ title: 'health behind', network: '127.85', servers: 2 }, (shows) => {
  shows(
    '«health is what the monitor of the balancer sees»',
    async (scene) => {
      const [server] = scene.servers;
      assert.ok(server);
      await scene.configure({ ...byMonitor, targets: [server] });
      await scene.deployed();
      const { deployment, view } = await illMeanwhile(scene, server);
      assert.equal(deployment.status, 'failed');
      assert.match(view.targets[0]?.reason ?? '', /its balancer sees web-1 \(.*\) as down/);
      assert.deepEqual(await scene.front.out(), [server.name]);
    },
    ['HAProxy'],
  );

  shows(
    '«a member is returned only when its monitor sees it up»',
    async (scene) => {
      const [server] = scene.servers;
      assert.ok(server);
      const timeouts = { graceMs: 1_000, startMs: 120_000, upMs: 2_000 };
      const project = { health: undefined, timeouts };
      await scene.configure({ project, policy: ABORT, targets: [server] });
      await scene.deployed();
      const { deployment, view } = await illMeanwhile(scene, server);
      assert.deepEqual([deployment.status, view.targets[0]?.step], ['failed', 'enable']);
      const { events } = await scene.edge.deploymentEvents({ deployment: deployment.id });
      const failed = events.flatMap(({ event }) => (event.kind === 'task.failed' ? [event.error.cause] : []));
      assert.deepEqual(failed, ['health']);
    },
    ['HAProxy', 'F5'],
  );

  shows(
    'a check that asks a monitor which sees nothing of a drained member is refused before anything is touched',
    async (scene) => {
      await scene.configure(byMonitor);
      await assert.rejects(scene.deploy(), { code: 'config_invalid' });
      assert.deepEqual(await scene.front.out(), []);
    },
    ['nginx', 'F5'],
  );
});
