import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withEdgeApi } from '../../../test/support/edge-api.ts';
import { edgeCli } from '../../../test/support/edge-cli.ts';
import { planHash } from '../../domain/ids.ts';
import type { PlanSimulationReport } from '../../domain/plan-simulation.ts';
import { type Report, simulationLines } from '../simulation-lines.ts';
import { textOf } from '../view/line.ts';

const PLACE = ['web', 'production', '2.0.0'] as const;

describe('edge plan', () => {
  test(
    'shows capacity as a picture, an expected time as a range with its basis, and the numbers with --json',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const { stdout } = await edgeCli(edge).run('plan', ...PLACE);
      assert.match(stdout, /^plan [0-9a-f]{12}, expected about .* \(a guess\)$/m);
      assert.match(stdout, /^capacity: █ serves/m);
      assert.match(stdout, /^lb:9999\/web {2}50 members, floor 38$/m);
      const json = JSON.parse((await edgeCli(edge).run('plan', ...PLACE, '--json')).stdout);
      assert.equal(json.forecast.basis, 'a guess');
      assert.equal(json.explained.stages[0].batches[0].capacity[0].configured, 50);
    }),
  );

  test(
    'with --simulate says how often it ends how, and how far a bad release gets',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const { status, stdout, stderr } = await edgeCli(edge).run('plan', ...PLACE, '--simulate', '10');
      assert.equal(status, 0);
      assert.match(stdout, /^8 runs with a release that works$/m);
      assert.match(stdout, / % {2}succeeded$/m);
      assert.match(stdout, /^2 runs with a release that never becomes healthy$/m);
      assert.match(stdout, /targets? touched until it is stopped, at most 1; .* never to clients/);
      assert.match(stdout, /^ {2}lb:9999\/web: down to 4\d of 50 in service, at worst 4\d; floor 38$/m);
      assert.match(stderr, /Nothing was touched\./);
      assert.equal((await edge.store.views.deployments({ limit: 1 })).length, 0);
    }),
  );

  test(
    'gives the same for the same seed, as one JSON value',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const run = async (seed: string) =>
        (await edgeCli(edge).run('plan', ...PLACE, '--simulate', '8', '--seed', seed, '--json')).stdout;
      const first = await run('5');
      assert.equal(JSON.parse(first).seed, 5);
      assert.equal(await run('5'), first);
      assert.notEqual(await run('6'), first);
    }),
  );

  test(
    'refuses a seed without a simulation, which would have no effect',
    withEdgeApi(async (edge) => {
      const { status, stderr } = await edgeCli(edge).run('plan', ...PLACE, '--seed', '5');
      assert.equal(status, 2);
      assert.match(stderr, /usage_invalid: --seed is of a simulation\n {2}Add --simulate/);
    }),
  );
});

test('a promise that Edge broke comes first, in words that nobody overlooks', () => {
  const spread = { p50: 1, p90: 1, p99: 1, most: 1 };
  const endings = {
    ...{ succeeded: 0, 'with-exceptions': 0, 'rolled-back': 0, 'rollback-failed': 0, held: 0, failed: 0 },
    ...{ aborted: 0, unfinished: 1 },
  };
  const told: PlanSimulationReport = {
    cases: [
      {
        release: 'good',
        runs: 1,
        endings,
        durationMs: spread,
        touched: spread,
        ran: spread,
        served: spread,
        pools: [],
      },
    ],
    violations: [{ run: 0, release: 'good', invariant: 'I1', message: 'it took web-1 out' }],
  };
  const report: Report = { kind: 'report', planHash: planHash('a'.repeat(64)), seed: 1, odds: [], ...told };
  const [first, second] = simulationLines(report).map(textOf);
  assert.match(first ?? '', /^EDGE BROKE A PROMISE/);
  assert.match(second ?? '', /run 0 with a good release, I1: it took web-1 out/);
});
