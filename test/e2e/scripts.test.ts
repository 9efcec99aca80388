import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { Output, TargetView } from '../../src/api/contract.ts';
import { sha256 } from '../../src/lib/hash.ts';
import { jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const PLACE = [PROJECT, ENVIRONMENT] as const;
const PATIENCE_MS = 60_000;
const SECRET = 'tr0ub4dor-and-three';

/** Waits in the middle, shows how far it is, and gives what the next one takes. */
const COUNT = `#!/bin/sh
echo "count on $EDGE_TARGET" >>"$HOME/ran"
echo "::edge progress 50% counting $EDGE_PARAM_TABLE with $TOKEN"
while [ -e "$HOME/hold" ]; do sleep 0.1; done
echo "rows=42" >>"$EDGE_OUTPUTS"
[ ! -e "$HOME/tell" ] || echo "told=$TOKEN" >>"$EDGE_OUTPUTS"
[ -e "$HOME/tell" ] || echo "told=nothing" >>"$EDGE_OUTPUTS"
`;
const MOVE = `#!/usr/bin/env -S sh -e
echo "move $EDGE_PARAM_ROWS of $EDGE_PARAM_NODE, $EDGE_VERSION, $#" >>"$HOME/ran"
`;

const SHOWN = '50% counting users with ***';
const documents = `---
kind: script
name: count
content: ${JSON.stringify(COUNT)}
parameters: { table: { type: string, pattern: "[a-z]+", default: users } }
outputs: { rows: { type: integer, min: 0 }, told: { type: string, pattern: ".*" } }
---
kind: script
name: move
content: ${JSON.stringify(MOVE)}
parameters: { rows: { type: integer, min: 0, max: 100 }, node: { type: string, pattern: "[a-z0-9-]+" } }`;
const STEPS =
  '{ id: count, script: count, folder: "~", env: { TOKEN: { source: env, name: COUNT_TOKEN } }, timeoutMs: 300000 }, ' +
  '{ id: move, script: move, folder: "~", with: { rows: { from: count, output: rows }, node: { target: name } } }';

describe('scripts as steps, on real hosts', { skip: sshd.skip ?? haproxy.skip ?? false }, () => {
  let estate: Estate;
  const home = (name: string) => join(estate.targets[0]?.sshd.home ?? '', name);
  const look = async (id: string) =>
    jsonOf(expectDone(await estate.edge('status', id, '--json'))) as {
      readonly view: { readonly targets: readonly TargetView[] };
    };
  const ran = async () => (await readFile(home('ran'), 'utf8').catch(() => '')).split('\n').slice(0, -1);

  before(async () => {
    estate = await openEstate({
      ...{ sshdPath: sshd.path ?? '', haproxyPath: haproxy.path ?? '', network: '127.72.25', hosts: 1 },
      ...{ versions: ['v1', 'v2', 'v3'], minInService: 0, server: false, env: { COUNT_TOKEN: SECRET } },
      strategy: `{ settleMs: 0, steps: { datacenter: [guard, drain, stop, install, ${STEPS}, start, verify, enable] } }`,
      project: documents,
    });
  });
  after(() => estate?.stop());

  test('«scripts are frozen in the plan, by their hash», with the exact bytes and parameters', async () => {
    const plan = jsonOf(expectDone(await estate.edge('plan', ...PLACE, 'v1', '--json'))) as Output<'plan'>;
    assert.deepEqual(plan.plan.scripts, { [sha256(COUNT)]: COUNT, [sha256(MOVE)]: MOVE });
    const { stdout } = expectDone(await estate.edge('plan', ...PLACE, 'v1'));
    assert.match(
      stdout,
      new RegExp(`the script count \\(\\d+ bytes, SHA-256 ${sha256(COUNT)}\\) by \\["/bin/sh"\\] in ~`),
    );
    assert.match(stdout, /by \["\/usr\/bin\/env","-S sh -e"\]/);
    assert.match(stdout, /with EDGE_PARAM_ROWS from rows of count/);
    assert.match(stdout, /with TOKEN from a secret/);
    assert.equal(stdout.includes(SECRET), false);
  });

  test('«later steps use what a script gives», and «a script shows how far it is, line by line»; it runs once, though its worker is killed', async () => {
    await writeFile(home('hold'), '');
    const first = estate.start('deploy', ...PLACE, 'v1', '--yes');
    const idOf = () => /\b[0-9a-z]{20}\b/.exec(first.stdout())?.[0] ?? '';
    await until('it has begun', () => idOf() !== '', PATIENCE_MS);
    const id = idOf();
    const progress = async () => (await look(id)).view.targets[0]?.progress;
    await until('it shows how far it is', async () => (await progress()) === SHOWN, PATIENCE_MS);
    first.signal('SIGKILL');
    await first.ended;
    await rm(home('hold'));
    expectDone(await estate.edge('watch', id));
    assert.deepEqual(await ran(), ['count on web-1', 'move 42 of web-1, v1, 0']);
    assert.deepEqual(await estate.served(), ['v1']);
    const { stdout } = expectDone(await estate.edge('logs', id, '--target', 'web-1', '--json'));
    assert.match(stdout, /50% counting users with \*\*\*/);
    assert.equal(stdout.includes(SECRET), false);
  });

  test('they never give a secret to a later step', async () => {
    await writeFile(home('tell'), '');
    const { stdout, stderr } = await estate.edge('deploy', ...PLACE, 'v2', '--yes');
    assert.match(stdout, /\(script_value\): The script count ended, but its output told holds a secret/);
    assert.equal((stdout + stderr).includes(SECRET), false);
    assert.deepEqual((await ran()).slice(2), ['count on web-1']);
  });
});
