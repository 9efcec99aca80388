import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { Output } from '../../src/api/contract.ts';
import { jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const PLACE = [PROJECT, ENVIRONMENT] as const;

/** Writes down that it ran, and fails where it is told to. */
const NOTE = `#!/bin/sh
set -eu
echo "$EDGE_STEP \${EDGE_OUTCOME-}" >>"$HOME/hooks"
[ ! -e "$HOME/fail-$EDGE_STEP" ]
`;
const PLACES = [
  ...['before-deployment', 'after-deployment', 'before-stage', 'after-stage'],
  ...['before-batch', 'after-batch', 'on-failure', 'always'],
];
const HOOKS = PLACES.map((at) => `{ id: ${at}, at: ${at}, script: note, on: web-1 }`).join(', ');

describe('«hooks run before and after deployment, stage and batch, on failure and always»', {
  skip: sshd.skip ?? haproxy.skip ?? false,
}, () => {
  let estate: Estate;
  const home = (name: string) => join(estate.targets[0]?.sshd.home ?? '', name);
  const ran = async () => {
    const lines = (await readFile(home('hooks'), 'utf8').catch(() => '')).split('\n').slice(0, -1);
    await rm(home('hooks'), { force: true });
    return lines.map((line) => line.trim());
  };

  before(async () => {
    estate = await openEstate({
      ...{ sshdPath: sshd.path ?? '', haproxyPath: haproxy.path ?? '', network: '127.72.29', hosts: 2 },
      ...{ versions: ['v1', 'v2', 'v3'], minInService: 0, server: false },
      strategy: `{ canary: 0, batches: 1, settleMs: 0, hooks: [${HOOKS}] }`,
      project: `---\nkind: script\nname: note\ncontent: ${JSON.stringify(NOTE)}`,
    });
  });
  after(() => estate?.stop());

  test('they run once each, in their order, on the host that they name', async () => {
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes'));
    assert.deepEqual(await ran(), [
      ...['before-deployment', 'before-stage'],
      ...['before-batch', 'after-batch', 'before-batch', 'after-batch'],
      ...['after-stage', 'after-deployment', 'always succeeded'],
    ]);
    assert.deepEqual(await estate.served(), ['v1', 'v1']);
  });

  test('they are in the plan with what they run, and in no count of targets', async () => {
    const { stdout } = expectDone(await estate.edge('plan', ...PLACE, 'v2'));
    assert.match(stdout, /before the deployment/);
    assert.match(stdout, /hook:before-deployment/);
    assert.match(stdout, /the script note/);
    const [row] = (
      jsonOf(expectDone(await estate.edge('history', ...PLACE, '--json'))) as Output<'deployments'>
    ).deployments;
    assert.equal(row?.counts.total, 2);
  });

  test('those that fail before the deployment leave all as it was, and those at its end run all the same', async () => {
    await writeFile(home('fail-before-deployment'), '');
    const failed = await estate.edge('deploy', ...PLACE, 'v2', '--yes', '--json');
    assert.notEqual(failed.status, 0);
    const { id } = (
      jsonOf(expectDone(await estate.edge('history', ...PLACE, '--json'))) as Output<'deployments'>
    ).deployments[0] ?? { id: '' };
    const status = expectDone(await estate.edge('status', id));
    assert.match(status.stdout, /a hook has failed; hook:before-deployment/);
    await estate.edge('abort', id, '--reason', 'the hook is right');
    assert.deepEqual(await ran(), ['before-deployment', 'on-failure aborted', 'always aborted']);
    assert.deepEqual(await estate.served(), ['v1', 'v1']);
    await rm(home('fail-before-deployment'));
  });

  test('those that fail after a batch are rolled back from, and the rollback runs those at the end', async () => {
    await writeFile(home('fail-after-batch'), '');
    const failed = await estate.edge('deploy', ...PLACE, 'v3', '--yes');
    await rm(home('fail-after-batch'));
    assert.notEqual(failed.status, 0);
    const { deployments } = jsonOf(
      expectDone(await estate.edge('history', ...PLACE, '--json')),
    ) as Output<'deployments'>;
    const open = deployments.find(({ ended }) => !ended);
    if (open) expectDone(await estate.edge('rollback', open.id, '--reason', 'the hook is right'));
    assert.deepEqual(await ran(), [
      ...['before-deployment', 'before-stage', 'before-batch', 'after-batch'],
      ...['on-failure succeeded', 'always succeeded'],
    ]);
    assert.deepEqual(await estate.served(), ['v1', 'v1']);
  });
});
