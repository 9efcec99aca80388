import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { DeploymentRow, Output } from '../../src/api/contract.ts';
import { jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const skip = sshd.skip ?? haproxy.skip ?? false;

const PLACE = [PROJECT, ENVIRONMENT] as const;
/** On a machine that others use too, a deployment may take this many times as long as the one before it. */
const FACTOR = 4;

describe('the forecast of a deployment on eight real hosts', { skip }, () => {
  let estate: Estate;

  before(async () => {
    estate = await openEstate({
      sshdPath: sshd.path ?? '',
      haproxyPath: haproxy.path ?? '',
      network: '127.72.8',
      hosts: 8,
      versions: ['v1', 'v2'],
      minInService: '75%',
      strategy: '{ canary: 1, batches: [50%, 100%], settleMs: 0 }',
    });
  });
  after(() => estate?.stop());

  const planned = async (version: string) =>
    (jsonOf(expectDone(await estate.edge('plan', ...PLACE, version, '--json'))) as Output<'plan'>).forecast;
  const deployed = async (version: string) => {
    const end = expectDone(await estate.edge('deploy', ...PLACE, version, '--yes', '--json'));
    const { deployment } = jsonOf(end) as { readonly deployment: DeploymentRow };
    return (deployment.endedAt ?? 0) - (deployment.startedAt ?? 0);
  };

  test('is a guess at first, and from the second one on near the truth: «a plan says how long it takes, from what its steps took before»', async (t) => {
    assert.equal((await planned('v1')).basis, 'a guess');
    await deployed('v1');
    await deployed('v2');
    const { p50Ms, p90Ms, basis, steps } = await planned('v1');
    // At the first one nothing served yet: its drains tell nothing.
    assert.equal(basis, 'from 1 deployment here');
    assert.ok(steps.every(({ from }) => from === 'here'));
    const tookMs = await deployed('v1');
    const off = Math.round((100 * (tookMs - p50Ms)) / p50Ms);
    t.diagnostic(`expected ${p50Ms} to ${p90Ms} ms, took ${tookMs} ms: ${off} % off the middle`);
    assert.ok(tookMs < p90Ms * FACTOR && tookMs > p50Ms / FACTOR, `${p50Ms} to ${p90Ms}: ${tookMs} ms`);
  });
});
