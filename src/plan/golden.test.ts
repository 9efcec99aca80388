import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  environment,
  pool,
  project,
  projectEnvironment,
  release,
  request,
  script,
  targets,
} from '../../test/fixtures/configuration.ts';
import { deploymentId } from '../domain/ids.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import { explain } from './explain.ts';
import { planHash } from './hash.ts';
import { renderPlan } from './render.ts';
import type { PlanRequest } from './request.ts';
import { planRollback } from './rollback.ts';

/** The plans as people read them. After a wanted change: `bin/node --test --test-update-snapshots src/plan/golden.test.ts`. */
function golden(name: string, render: () => string): void {
  test(`the plan of ${name} reads as its golden text`, (context) => {
    const path = fileURLToPath(new URL(`golden/${name.replaceAll(' ', '-')}.txt`, import.meta.url));
    context.assert.fileSnapshot(render(), path, { serializers: [String] });
  });
}

const planned = (parts: Partial<PlanRequest>) => buildPlan(request(parts), datacenter);
const rendered = (parts: Partial<PlanRequest>) => renderPlan(explain(planned(parts)));

const zones = { zones: [{ name: 'east' }, { name: 'west', pool: 'west' }] };
const inZones = { targets: targets(8, (index) => ({ zone: index < 4 ? 'east' : 'west' })) };
const names = targets(8).map(({ name }) => String(name));

golden('a staggered deployment', () => rendered({}));

golden('two zones with an other and a parked target', () =>
  rendered({
    environment: environment(zones),
    projectEnvironment: projectEnvironment({ ...inZones, policy: { minInService: '50%' } }),
    pools: [pool(names, ['web-3', 'web-8'])],
    fleet: names.map((target) => ({
      target,
      before: release('1.0.0').id,
      parked: target === 'web-3',
      running: target !== 'web-8',
    })),
  }),
);

golden('zones with a floor of their own', () =>
  rendered({
    environment: environment({ ...zones, policy: { minInServicePerZone: '50%' } }),
    projectEnvironment: projectEnvironment({ ...inZones, policy: { minInService: '25%' } }),
  }),
);

golden('zones side by side', () =>
  rendered({
    environment: environment(zones),
    projectEnvironment: projectEnvironment({
      ...inZones,
      strategy: {
        zones: 'side-by-side',
        canary: 1,
        batches: 2,
        settleMs: 0,
        // biome-ignore lint/suspicious/noThenProperty: the word of the strategy file
        drain: { timeoutMs: 30_000, then: 'stop' },
      },
    }),
  }),
);

golden('a restart', () => rendered({ verb: 'restart', release: null }));

golden('a release with property files', () =>
  rendered({
    release: release('2.0.0', {
      files: [
        { path: 'conf/web.properties', content: 'host={{db.host}}\n' },
        { path: 'conf/web.env', content: '' },
      ],
      variables: [{ name: 'db.host', value: 'db' }],
    }),
  }),
);

const reloaded = (version: string) =>
  release(version, { artifacts: [], files: [{ path: 'conf/web.env', content: `A=${version}\n` }] });

golden('a reload', () =>
  rendered({
    project: project({ commands: { reload: ['current/bin/reload'] } }),
    release: reloaded('2.0.0'),
    releases: [reloaded('1.0.0')],
    fleet: names.map((target) => ({
      ...{ target, before: reloaded('1.0.0').id, parked: false, running: true },
    })),
    reload: true,
  }),
);

golden('scripts as steps', () =>
  rendered({
    scripts: [
      script({ name: 'count', outputs: { rows: { type: 'integer' } } }),
      script({
        name: 'move',
        interpreter: ['/usr/bin/env', 'python3'],
        parameters: {
          rows: { type: 'integer' },
          table: { type: 'string', pattern: '[a-z]+', default: 'users' },
          node: { type: 'string', pattern: '.*' },
        },
      }),
    ],
    projectEnvironment: projectEnvironment({
      strategy: {
        steps: {
          datacenter: [
            ...['guard', 'drain', 'stop', 'install', { id: 'count', script: 'count', runAs: 'db' }],
            {
              id: 'move',
              script: 'move',
              with: { rows: { from: 'count', output: 'rows' }, node: { target: 'name' } },
              env: { TOKEN: { source: 'env', name: 'MOVE_TOKEN' } },
              onUnknown: 'retry',
            },
            ...['start', 'verify', 'enable', 'settle'],
          ],
        },
      },
    }),
  }),
);

golden('a hard deployment', () => rendered({ hard: true }));

golden('steps of its own without verify', () =>
  rendered({
    projectEnvironment: projectEnvironment({
      strategy: {
        steps: {
          datacenter: [
            ...['guard', 'drain', 'stop', 'install'],
            {
              id: 'migrate',
              action: 'host.run@1',
              with: { argv: ['bin/migrate', '--once'] },
              timeoutMs: 300_000,
            },
            ...['start', 'enable'],
            { id: 'rest', action: 'wait.settle@1', with: { ms: 30_000 } },
          ],
        },
        without: ['verify'],
      },
    }),
  }),
);

golden('own commands as another user', () =>
  rendered({
    project: project({
      runAs: 'web',
      commands: {
        start: ['systemctl', 'start', 'web'],
        stop: ['systemctl', 'stop', 'web'],
        install: ['./install', '--quiet'],
      },
      env: { MODE: 'production', TOKEN: { source: 'file', name: '/run/secrets/token' } },
      health: { check: { kind: 'tcp' }, passes: 2 },
    }),
    projectEnvironment: projectEnvironment({ targets: targets(2), floors: { web: 1 } }),
  }),
);

golden('a rollback of a mixed fleet', () => {
  const [one, two] = [release('1.0.0'), release('1.5.0')];
  const { plan } = planned({
    releases: [one, two],
    fleet: names.map((target, index) => ({
      target,
      before: index < 2 ? two.id : one.id,
      parked: false,
      running: true,
    })),
  });
  const touched = [0, 1, 2, 3].map((target) => ({ target, held: target > 1 }));
  const parent = { id: deploymentId('d-1'), plan, touched };
  const rollback = planRollback(parent, 'the health check of web-3 failed');
  return rollback ? renderPlan(explain({ plan: rollback, hash: planHash(rollback) })) : 'no plan';
});
