import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { projectRoot } from '../../scripts/project.ts';
import { requireService } from '../../scripts/services.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const PLACE = [PROJECT, ENVIRONMENT] as const;
const WARM = '{ id: warm, action: acme.warm-cache@1, with: { cwd: "~", pages: [/shop, /shop/new] } }';

describe('«plug-ins add actions, which are steps like any other», on real hosts', {
  skip: sshd.skip ?? haproxy.skip ?? false,
}, () => {
  let estate: Estate;
  const home = (name: string) => join(estate.targets[0]?.sshd.home ?? '', name);
  const ran = async () => {
    const lines = (await readFile(home('warmed'), 'utf8').catch(() => '')).split('\n').slice(0, -1);
    await rm(home('warmed'), { force: true });
    return lines;
  };

  before(async () => {
    estate = await openEstate({
      ...{ sshdPath: sshd.path ?? '', haproxyPath: haproxy.path ?? '', network: '127.72.31', hosts: 1 },
      ...{ versions: ['v1', 'v2'], minInService: 0, server: false },
      env: { EDGE_PLUGINS: join(projectRoot, 'examples/plugins/acme.mjs') },
      strategy: `{ settleMs: 0, steps: { datacenter: [guard, drain, stop, install, start, ${WARM}, verify, enable] } }`,
    });
    await mkdir(home('bin'), { recursive: true });
    await writeFile(home('bin/warm'), '#!/bin/sh\necho "$*" >>"$HOME/warmed"\n[ ! -e "$HOME/cold" ]\n', {
      mode: 0o755,
    });
  });
  after(() => estate?.stop());

  test('are steps like any other: in the plan, and run once on the host', async () => {
    const { stdout } = expectDone(await estate.edge('plan', ...PLACE, 'v1'));
    assert.match(stdout, /acme\.warm-cache@1/);
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes'));
    assert.deepEqual(await ran(), ['/shop /shop/new']);
    assert.deepEqual(await estate.served(), ['v1']);
  });

  test('fail a target as any step does, with what they said', async () => {
    await writeFile(home('cold'), '');
    const failed = await estate.edge('deploy', ...PLACE, 'v2', '--yes');
    assert.notEqual(failed.status, 0);
    assert.match(failed.stdout + failed.stderr, /bin\/warm ended with exit status 1/);
    assert.deepEqual(await ran(), ['/shop /shop/new']);
  });
});
