import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  environment,
  project,
  projectEnvironment,
  script,
  targets,
} from '../../test/fixtures/configuration.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { type ExecRequest, planExec } from './exec.ts';
import { planHash } from './hash.ts';

const request = (parts: Partial<ExecRequest> = {}): ExecRequest => ({
  project: project({ runAs: 'app', env: { SECRET: { source: 'env', name: 'SECRET' } } }),
  environment: environment({
    zones: [
      { name: 'a', pool: 'dc-a' },
      { name: 'b', pool: 'dc-b' },
    ],
  }),
  projectEnvironment: projectEnvironment({
    targets: targets(9, (index) => ({ zone: index % 3 === 0 ? 'b' : 'a' })),
  }),
  ...{ strategies: [], scripts: [], hostKeys: new Map() },
  order: { argv: ['hostname'], timeoutMs: 60_000 },
  ...{ targets: null, zones: null, limit: null, batches: ['100%'], parallel: 4, maxFailures: null },
  ...parts,
});
const plan = (parts: Partial<ExecRequest> = {}) => planExec(request(parts), datacenter);
const batchesOf = ({ stages }: ReturnType<typeof plan>) =>
  stages.flatMap(({ lanes }) => lanes.flatMap(({ batches }) => batches));

describe('the plan of a command on targets', () => {
  test('has no command that the environment does not let run', () => {
    const guarded = environment({ commands: { allow: [['uptime']] } });
    const placed = { environment: guarded, projectEnvironment: projectEnvironment() };
    assert.throws(() => plan(placed), { code: 'command_refused', message: /would run \["hostname"\]/ });
    plan({ ...placed, order: { argv: ['uptime'], timeoutMs: 60_000 } });
  });

  test('has each target in one batch of its zone, whatever is chosen', () => {
    const shares = fc.constantFrom(1, 2, 3, '10%', '50%', '100%');
    const names = request().projectEnvironment.targets.map(({ name }) => name);
    fc.assert(
      fc.property(
        fc.record({
          targets: fc.option(fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 })),
          limit: fc.option(fc.integer({ min: 1, max: 12 })),
          batches: fc.oneof(shares, fc.array(shares, { minLength: 1, maxLength: 4 })),
        }),
        (parts) => {
          const made = plan(parts);
          const indexes = batchesOf(made).flatMap((batch) => batch.targets);
          assert.deepEqual(
            indexes.toSorted((a, b) => a - b),
            made.targets.map((_, index) => index),
          );
          const wanted = Math.min(parts.targets?.length ?? names.length, parts.limit ?? names.length);
          assert.equal(made.targets.length, wanted);
          for (const lane of made.stages[0]?.lanes ?? [])
            for (const index of lane.batches.flatMap((batch) => batch.targets))
              assert.equal(made.targets[index]?.zone, lane.zone);
        },
      ),
    );
  });

  test('touches no pool, and has nothing of the project but its hosts', () => {
    const made = plan();
    assert.deepEqual([made.floors, made.targets.flatMap(({ members }) => members)], [[], []]);
    const [step] = made.sequences.exec ?? [];
    assert.deepEqual(step?.inputs, { host: { target: 'host' }, argv: { value: ['hostname'] } });
    assert.equal(JSON.stringify(made).includes('SECRET'), false);
  });

  test('asks of a target only how it is reached', () => {
    const strategy = {
      steps: {
        datacenter: [
          ...['guard', 'drain', 'stop', 'install', 'start', 'verify', 'enable'],
          { id: 'tell', script: 'tell', with: { port: { target: 'port' } }, env: { A: 'a' } },
        ],
      },
    };
    const of = (variables: object) => {
      const bare = ['web-1', 'web-2'].map((name) => ({ name, address: '10.0.0.1', ...variables }));
      return plan({
        project: project({ health: { check: { kind: 'tcp' } } }),
        scripts: [script({ parameters: { port: { type: 'integer' } } })],
        projectEnvironment: projectEnvironment({ strategy, targets: bare }),
      });
    };
    const made = of({});
    assert.deepEqual(
      made.targets.map(({ facts }) => Object.keys(facts)),
      [['host'], ['host']],
    );
    assert.equal(planHash(of({ env: { B: 'b' } })), planHash(made));
  });

  test('goes through the workers of the zones, at most so many at once', () => {
    const made = plan({ batches: 3 });
    assert.deepEqual([...new Set(made.targets.map(({ zone, pool }) => `${zone} ${pool}`))].toSorted(), [
      'a dc-a',
      'b dc-b',
    ]);
    assert.deepEqual(
      batchesOf(made).map(({ targets: of, parallel }) => [of.length, parallel]),
      [
        [3, 3],
        [3, 3],
        [3, 3],
      ],
    );
  });

  test('needs a target, and those that are named', () => {
    assert.throws(() => plan({ targets: ['nobody'] }), { code: 'target_unknown' });
    assert.throws(() => plan({ zones: ['c'] }), { code: 'request_invalid' });
    assert.throws(() => plan({ zones: ['b'], targets: ['web-2'] }), { code: 'plan_empty' });
  });
});
