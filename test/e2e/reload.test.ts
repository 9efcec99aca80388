import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { type Reloaded, reloadInMidDeployment } from '../support/reloads.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const skip = sshd.skip ?? haproxy.skip ?? false;
const services = { sshdPath: sshd.path ?? '', haproxyPath: haproxy.path ?? '' };
const RELOADS = 5;

const wordsOf = (seen: readonly Reloaded[]): string =>
  seen.map(({ backOutMs, requests }) => `${Math.round(backOutMs)} ms, ${requests} requests`).join('; ');

test('«a drain that its balancer forgot is asserted again» at an HAProxy reloaded in mid-deployment, and then nothing more reaches it', {
  skip,
}, async (t) => {
  const seen = await reloadInMidDeployment({ ...services, network: '127.74.1', reloads: RELOADS });
  t.diagnostic(wordsOf(seen));
  assert.equal(seen.length, RELOADS);
  for (const { held, late } of seen) {
    assert.ok(held > 0);
    assert.equal(late, 0);
  }
  assert.ok(
    seen.some(({ requests }) => requests > 0),
    'the reloads let something through, else nothing was tried',
  );
});

for (const [title, network, lock] of [
  ['with a state file of HAProxy', '127.74.2', { keepsState: true }],
  [
    'HAProxy: «a gate on the host keeps requests off, whatever the balancer forgot»: with one on the port of the application',
    '127.74.3',
    { gate: 'port' },
  ],
] as const) {
  test(`${title} nothing reaches what Edge drained, whatever HAProxy forgot`, { skip }, async (t) => {
    const seen = await reloadInMidDeployment({ ...services, network, reloads: 2, ...lock });
    t.diagnostic(wordsOf(seen));
    for (const { requests, late } of seen) assert.equal(requests + late, 0);
  });
}
