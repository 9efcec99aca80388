import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rejectsWith } from '../../test/contracts/load-balancer.ts';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import { stuckAt } from '../../test/support/edge-cli.ts';
import { asEdgeError, EdgeError } from '../domain/errors.ts';
import type { PlanTarget } from '../domain/plan.ts';

const PLACE = { project: 'web', environment: 'production' } as const;
const ORIGIN = 'the file /lists/web.csv';
const FILE = { from: 'file', path: '/lists/web.csv', defaults: { port: 8080, member: 'web/{name}' } };

const csv = (...names: readonly string[]): string =>
  ['name,address', ...names.map((name) => `${name},10.0.0.${name.split('-')[1]}`), ''].join('\n');

/** `web` in `production` with its releases, and its targets from an inventory. */
async function withInventory(edge: EdgeApi, targets: object, text: string = csv('web-1', 'web-2', 'web-3')) {
  await edge.configure(3);
  edge.inventory.set(ORIGIN, text);
  await apply(edge, targets);
}

const apply = (edge: EdgeApi, targets: object, more: object = {}) =>
  edge.admin.applyConfiguration({
    files: [
      {
        path: 'place.yaml',
        text: JSON.stringify({ kind: 'project-environment', ...PLACE, targets, ...more }),
      },
    ],
  });

const planOf = ({ admin }: EdgeApi, more: object = {}) => admin.plan({ ...PLACE, version: '2.0.0', ...more });
const namesIn = async (edge: EdgeApi) => (await planOf(edge)).plan.targets.map(({ name }) => name);
const errorOf = async (promise: Promise<unknown>) =>
  asEdgeError(
    await promise.then(
      () => assert.fail('it was not refused'),
      (thrown: unknown) => thrown,
    ),
  );

describe('a plan', () => {
  test(
    'is made of the targets that the inventory gives now, and says where they are from',
    withEdgeApi(async (edge) => {
      await withInventory(edge, FILE);
      assert.deepEqual(await namesIn(edge), ['web-1', 'web-2', 'web-3']);
      edge.inventory.set(ORIGIN, csv('web-4', 'web-1'));
      const { plan, notes } = await planOf(edge);
      assert.deepEqual(
        plan.targets.map(({ name, members }) => [name, members]),
        ['web-1', 'web-4'].map((name) => [name, [{ balancer: 'lb:9999', pool: 'web', member: name }]]),
      );
      assert.match(
        notes.find(({ code }) => code === 'inventory_read')?.message ?? '',
        /^The targets, 2, are those of the file \/lists\/web\.csv, as it was/,
      );
    }),
  );

  test(
    'is the same, whatever the order that the inventory has',
    withEdgeApi(async (edge) => {
      await withInventory(edge, FILE, csv('web-1', 'web-2', 'web-10'));
      const { hash } = await planOf(edge);
      edge.inventory.set(ORIGIN, csv('web-10', 'web-2', 'web-1'));
      assert.equal((await planOf(edge)).hash, hash);
    }),
  );

  test(
    'is not made where the inventory gives nothing, cannot be used, or is not there; what it gave before is not taken',
    withEdgeApi(async (edge) => {
      await withInventory(edge, FILE);
      await planOf(edge);
      const refused = async (
        text: string | undefined,
        code: 'inventory_invalid' | 'inventory_unreachable',
      ) => {
        edge.inventory.set(ORIGIN, text);
        await rejectsWith(code, planOf(edge));
        await rejectsWith(code, edge.admin.deploy({ ...PLACE, version: '2.0.0', reason: 'test' }));
        await rejectsWith(code, edge.admin.diff({ ...PLACE, version: '2.0.0' }));
        await rejectsWith(code, edge.admin.targets(PLACE));
      };
      await refused('', 'inventory_invalid');
      await refused('name,address\n', 'inventory_invalid');
      await refused('<html>502 Bad Gateway</html>', 'inventory_invalid');
      await refused(csv('web-1', '$(id)'), 'inventory_invalid');
      await refused(undefined, 'inventory_unreachable');
      assert.deepEqual((await edge.admin.deployments({ limit: 10 })).deployments, []);
      assert.deepEqual(edge.faults, []);
    }),
  );

  test(
    'goes on as it was made, whatever becomes of the inventory meanwhile',
    withEdgeApi(async (edge) => {
      await withInventory(edge, FILE);
      const deployment = await edge.deploy('2.0.0');
      edge.inventory.set(ORIGIN, undefined);
      await edge.work();
      const { view } = await edge.admin.deployment({ deployment });
      assert.equal(view.overall.status, 'succeeded');
      assert.equal(view.overall.counts.succeeded, 3);
    }),
  );

  test(
    'of a pool has its members, where their balancer sends traffic; and one that the pool loses leaves it',
    withEdgeApi(async (edge) => {
      for (const n of [1, 2, 3])
        edge.balancer.setAddress({ pool: 'web', member: `web-${n}` }, `10.1.0.${n}:80`);
      await withInventory(edge, { from: 'pool', pool: 'web', select: ['web-1', 'web-2', 'web-3'] });
      const hosts = async () =>
        (await edge.admin.targets(PLACE)).targets.map(({ name, address, port }) => [name, address, port]);
      assert.deepEqual(await hosts(), [
        ['web-1', '10.1.0.1', 80],
        ['web-2', '10.1.0.2', 80],
        ['web-3', '10.1.0.3', 80],
      ]);
      assert.deepEqual(await namesIn(edge), ['web-1', 'web-2', 'web-3']);
      edge.balancer.remove({ pool: 'web', member: 'web-2' });
      assert.deepEqual(await namesIn(edge), ['web-1', 'web-3']);
      edge.balancer.setReachable(false);
      await rejectsWith('balancer_unreachable', planOf(edge));
    }),
  );
});

describe('a plan that was read', () => {
  const start = ({ admin }: EdgeApi, planHash: string) =>
    admin.deploy({ ...PLACE, version: '2.0.0', reason: 'test', planHash });

  test(
    'is refused when the inventory has changed, with who came, who left and of whom it says something else',
    withEdgeApi(async (edge) => {
      await withInventory(edge, FILE);
      const { hash } = await planOf(edge);
      edge.inventory.set(ORIGIN, csv('web-1', 'web-3', 'web-4').replace('10.0.0.3', '10.9.9.9'));
      const refused = async () => {
        const { code, message } = await errorOf(start(edge, hash));
        assert.equal(code, 'plan_changed');
        assert.match(
          message,
          /: since then, web-4 came into the inventory; web-2 left the inventory; the inventory says something else of web-3$/,
        );
      };
      await refused();
      // Also when others have read it since.
      for (const names of [['web-1'], ['web-1', 'web-2']]) {
        edge.inventory.set(ORIGIN, csv(...names));
        await planOf(edge);
      }
      edge.inventory.set(ORIGIN, csv('web-1', 'web-3', 'web-4').replace('10.0.0.3', '10.9.9.9'));
      await refused();
      edge.inventory.set(ORIGIN, csv('web-1', 'web-2', 'web-3'));
      await start(edge, hash);
    }),
  );

  test(
    'is refused without a word of the inventory when something else has changed',
    withEdgeApi(async (edge) => {
      await withInventory(edge, FILE);
      const { hash } = await planOf(edge, { force: true, hard: true });
      const { code, message } = await errorOf(start(edge, hash));
      assert.equal(code, 'plan_changed');
      assert.doesNotMatch(message, /since then/);
      assert.doesNotMatch((await errorOf(start(edge, '0'.repeat(64)))).message, /since then/);
    }),
  );
});

test(
  'a command runs on the targets that the inventory gives now, or on none',
  withEdgeApi(async (edge) => {
    await withInventory(edge, FILE);
    const exec = (more: object) =>
      edge.admin.exec({ ...PLACE, argv: ['uptime'], reason: 'test', dryRun: true, ...more });
    const { targets, planHash } = await exec({});
    assert.deepEqual(targets, ['web-1', 'web-2', 'web-3']);
    edge.inventory.set(ORIGIN, csv('web-1', 'web-2'));
    const { code, message } = await errorOf(exec({ planHash, dryRun: false }));
    assert.equal(code, 'plan_changed');
    assert.match(message, /on 2 targets now, or in another way: since then, web-3 left the inventory$/);
    edge.inventory.set(ORIGIN, undefined);
    await rejectsWith('inventory_unreachable', exec({}));
  }),
);

/** `web-2` is parked by a deployment that failed there. */
async function parked(edge: EdgeApi): Promise<void> {
  await withInventory(edge, FILE);
  const deployment = await edge.deploy('2.0.0');
  await edge.work(stuckAt('web-2'));
  await edge.admin.skipTarget({ deployment, target: 'web-2', reason: 'disk is broken' });
  await edge.admin.resume({ deployment, reason: 'go on' });
  await edge.work();
  assert.deepEqual(await parkedNames(edge), ['web-2']);
}

const parkedNames = async ({ admin }: EdgeApi) =>
  (await admin.status(PLACE)).projectEnvironments[0]?.parked.map(({ target }) => target);

const addressOf = (target: Pick<PlanTarget, 'facts'> | undefined): unknown => {
  const host = target?.facts.host;
  return typeof host === 'object' && host !== null && 'address' in host ? host.address : undefined;
};

describe('a parked target that left the inventory', () => {
  for (const [title, text] of [
    ['that does not name it any more', csv('web-1', 'web-3')],
    ['that is not there', undefined],
    ['that gives an error page', '<html>'],
    ['whose secret is not to be had', new EdgeError('secret_unavailable', 'nobody has it')],
  ] as const)
    test(
      `is shown, and returned as it was found, by an inventory ${title}`,
      withEdgeApi(async (edge) => {
        await parked(edge);
        edge.inventory.set(ORIGIN, text);
        assert.deepEqual(await parkedNames(edge), ['web-2']);
        const { deployment } = await edge.admin.returnParked({ ...PLACE, reason: 'the disk is new' });
        const { plan } = await edge.admin.deploymentPlan({ deployment });
        assert.deepEqual(
          plan.targets.map(({ name, members, facts }) => [name, members, addressOf({ facts })]),
          [['web-2', [{ balancer: 'lb:9999', pool: 'web', member: 'web-2' }], '10.0.0.2']],
        );
        await edge.work();
        assert.deepEqual(await parkedNames(edge), []);
        assert.deepEqual(edge.faults, []);
      }),
    );

  for (const [title, unreadable, targets] of [
    ['does not answer', (edge: EdgeApi) => edge.balancer.setReachable(false), { from: 'pool', pool: 'web' }],
    ['has no such pool', () => undefined, { from: 'pool', pool: 'gone' }],
  ] as const)
    test(
      `is returned where the inventory is a pool, and the balancer ${title}`,
      withEdgeApi(async (edge) => {
        await parked(edge);
        await apply(edge, targets);
        unreadable(edge);
        await edge.admin.returnParked({ ...PLACE, reason: 'the disk is new' });
        await edge.work();
        assert.deepEqual(await parkedNames(edge), []);
      }),
    );

  test(
    'is not returned where Edge itself failed to read the inventory',
    withEdgeApi(async (edge) => {
      await parked(edge);
      edge.inventory.set(ORIGIN, new EdgeError('internal', 'a fault of its own'));
      await rejectsWith('internal', edge.admin.returnParked({ ...PLACE, reason: 'the disk is new' }));
    }),
  );

  test(
    'is returned without the inventory also where its zone has a floor of its own',
    withEdgeApi(async (edge) => {
      await parked(edge);
      const [place] = (await edge.admin.configuration({})).documents.filter(
        ({ kind }) => kind === 'environment',
      );
      const policy = { minInService: '50%', minInServicePerZone: '50%' };
      const text = JSON.stringify({ ...place?.value, policy });
      await edge.admin.applyConfiguration({ files: [{ path: 'environment.yaml', text }] });
      edge.inventory.set(ORIGIN, undefined);
      await edge.admin.returnParked({ ...PLACE, reason: 'the disk is new' });
      await edge.work();
      assert.deepEqual(await parkedNames(edge), []);
    }),
  );

  test(
    'is told of in plans, which leave it as it is',
    withEdgeApi(async (edge) => {
      await parked(edge);
      edge.inventory.set(ORIGIN, csv('web-1', 'web-3'));
      const { plan, notes } = await planOf(edge, { force: true });
      assert.deepEqual(
        plan.targets.map(({ name }) => name),
        ['web-1', 'web-3'],
      );
      assert.match(
        notes.find(({ code }) => code === 'parked_left')?.message ?? '',
        /no targets any more: web-2\. `edge return` brings them back\./,
      );
    }),
  );

  test(
    'is the only kind that a restart finds without the inventory',
    withEdgeApi(async (edge) => {
      await parked(edge);
      edge.inventory.set(ORIGIN, undefined);
      const restart = (...targets: readonly string[]) =>
        planOf(edge, { verb: 'restart', version: undefined, ...(targets.length > 0 && { targets }) });
      for (const names of [[], ['web-1'], ['web-1', 'web-2']])
        await rejectsWith('inventory_unreachable', restart(...names));
      const { notes } = await restart('web-2');
      assert.match(
        notes.find(({ code }) => code === 'inventory_unread')?.message ?? '',
        /could not be read \(the file \/lists\/web\.csv: nothing answers\)/,
      );
      await rejectsWith('inventory_unreachable', planOf(edge, { targets: ['web-2'] }));
      edge.inventory.set(ORIGIN, csv('web-1', 'web-3'));
      await rejectsWith('target_unknown', restart('web-9'));
    }),
  );

  test(
    'is returned to where the inventory says it is now, if it names it again',
    withEdgeApi(async (edge) => {
      await parked(edge);
      edge.inventory.set(ORIGIN, csv('web-1', 'web-2', 'web-3').replace('10.0.0.2', '10.9.9.9'));
      const { deployment } = await edge.admin.returnParked({ ...PLACE, reason: 'moved' });
      const { plan } = await edge.admin.deploymentPlan({ deployment });
      assert.equal(addressOf(plan.targets[0]), '10.9.9.9');
      assert.equal(plan.targets.length, 1);
    }),
  );
});

describe('status', () => {
  test(
    'says what the inventory gave last and when, without reading it',
    withEdgeApi(async (edge) => {
      await withInventory(edge, FILE);
      const seen = async () => {
        const [place] = (await edge.admin.status(PLACE)).projectEnvironments;
        return [place?.targets, place?.inventory, place?.releases.map(({ targets }) => targets)];
      };
      assert.deepEqual(await seen(), [0, { origin: ORIGIN, readAt: null }, []]);
      await edge.deploy('2.0.0');
      await edge.work();
      const first = edge.time.now;
      edge.inventory.set(ORIGIN, undefined);
      assert.deepEqual(await seen(), [3, { origin: ORIGIN, readAt: first }, [3]]);
      edge.inventory.set(ORIGIN, csv('web-1', 'web-2', 'web-3', 'web-4'));
      edge.time.now += 5_000;
      await edge.admin.targets(PLACE);
      assert.deepEqual(await seen(), [4, { origin: ORIGIN, readAt: first + 5_000 }, [3, 1]]);
      // Another inventory was never read.
      edge.inventory.set('the file /lists/other.csv', csv('web-1'));
      await apply(edge, { ...FILE, path: '/lists/other.csv' });
      assert.deepEqual(await seen(), [0, { origin: 'the file /lists/other.csv', readAt: null }, []]);
    }),
  );

  test(
    'a list that is read again and again is written once a minute at most',
    withEdgeApi(async (edge) => {
      await withInventory(edge, FILE);
      const version = async () => (await edge.store.records.get('inventory-read', 'web/production'))?.version;
      for (const _ of [1, 2, 3]) await edge.admin.targets(PLACE);
      assert.equal(await version(), 1);
      await planOf(edge);
      await planOf(edge);
      assert.equal(await version(), 2);
      edge.time.now += 60_000;
      await edge.admin.targets(PLACE);
      assert.equal(await version(), 3);
    }),
  );
});

test(
  'what is kept of reads is bounded, and tells nothing of the hosts but their names',
  withEdgeApi(async (edge) => {
    await withInventory(edge, { ...FILE, defaults: { ...FILE.defaults, env: { KEY: 'in-the-clear' } } });
    for (let n = 1; n <= 9; n += 1) {
      edge.inventory.set(ORIGIN, csv('web-1', `web-${n + 1}`));
      await planOf(edge);
    }
    edge.inventory.set(ORIGIN, csv('web-1', 'web-2'));
    for (let n = 0; n < 30; n += 1)
      await planOf(edge, { force: n % 2 === 0, targets: [`web-${(n % 2) + 1}`] });
    const kept = await edge.store.records.get('inventory-read', 'web/production');
    assert.equal(kept?.value.reads.length, 4);
    assert.ok(kept.value.reads.every(({ plans }) => plans.length <= 20));
    assert.doesNotMatch(JSON.stringify(kept), /in-the-clear|10\.0\.0/);
  }),
);

test(
  'doctor reads the inventory, and tries the hosts that it gives',
  withEdgeApi(async (edge) => {
    await withInventory(edge, FILE);
    const checks = async () =>
      (await edge.admin.doctor(PLACE)).checks.map(({ kind, name, ok }) => [kind, name, ok]);
    assert.deepEqual(await checks(), [
      ['inventory', ORIGIN, true],
      ...['web-1', 'web-2', 'web-3'].map((name) => ['host', name, true]),
      ['balancer', 'lb:9999/web', true],
    ]);
    edge.inventory.set(ORIGIN, undefined);
    assert.deepEqual(await checks(), [['inventory', ORIGIN, false]]);
  }),
);

test(
  'targets shows what a plan would be made of, and what has changed since it was read',
  withEdgeApi(async (edge) => {
    await edge.configure(1);
    assert.deepEqual(await edge.admin.targets(PLACE), {
      origin: null,
      targets: [
        {
          ...{ name: 'web-1', address: '10.0.0.1', sshPort: null, port: 8080, zone: 'default' },
          members: [{ balancer: 'lb:9999', pool: 'web', member: 'web-1' }],
        },
      ],
      changed: null,
    });
    await withInventory(edge, FILE);
    assert.equal((await edge.admin.targets(PLACE)).changed, null);
    const since = edge.time.now;
    edge.inventory.set(ORIGIN, csv('web-1', 'web-2'));
    edge.time.now += 1_000;
    const { origin, changed } = await edge.admin.targets(PLACE);
    assert.deepEqual([origin, changed], [ORIGIN, { since, what: 'web-3 left the inventory' }]);
  }),
);

describe('apply', () => {
  test(
    'reads an inventory that is a file, and takes none that cannot be used; others are read when a plan is made',
    withEdgeApi(async (edge) => {
      await edge.configure(2);
      const before = await edge.admin.configuration({});
      await rejectsWith('inventory_unreachable', apply(edge, FILE));
      edge.inventory.set(ORIGIN, 'name,address,port\nweb-1,10.0.0.1,80\nweb-2,10.0.0.2,http\n');
      const { code, body } = await errorOf(apply(edge, FILE));
      assert.equal(code, 'inventory_invalid');
      assert.deepEqual(body.where, { file: '/lists/web.csv', line: 3, path: 'port', target: 'web-2' });
      assert.deepEqual(await edge.admin.configuration({}), before);
      await apply(edge, { from: 'command', argv: ['/opt/nobody/list'] });
      await rejectsWith('inventory_unreachable', planOf(edge));
    }),
  );

  test(
    'a floor names a pool that the inventory has, where it can be known',
    withEdgeApi(async (edge) => {
      await withInventory(edge, FILE);
      await rejectsWith('inventory_invalid', apply(edge, FILE, { floors: { wbe: 1 } }));
      await apply(edge, FILE, { floors: { web: 1 } });
    }),
  );
});
