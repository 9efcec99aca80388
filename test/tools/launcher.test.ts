import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../scripts/project.ts';
import { withTemporaryFolder } from '../support/temporary-folder.ts';
import { writeTree } from '../support/write-tree.ts';

const main = 'console.log(JSON.stringify([process.execPath, ...process.argv.slice(2)]));';
const systemPath = '/usr/bin:/bin';

/** A copy of the launcher with a main.ts that prints the Node it runs on and its arguments. */
function installAt(root: string): void {
  cpSync(join(projectRoot, 'bin'), join(root, 'bin'), { recursive: true });
  writeTree(root, { 'package.json': '{"type":"module"}', 'src/main.ts': main });
}

function start(program: string, env: Readonly<Record<string, string>>, args: readonly string[] = []) {
  return spawnSync(program, args, { env: { PATH: systemPath, ...env }, encoding: 'utf8', timeout: 10_000 });
}

test('edge starts through links from any folder and hands its arguments on', () =>
  withTemporaryFolder((folder) => {
    installAt(join(folder, 'project'));
    mkdirSync(join(folder, 'bin'));
    symlinkSync('../project/bin/edge', join(folder, 'bin/edge'));
    symlinkSync(join(folder, 'bin/edge'), join(folder, 'link'));
    const env = { EDGE_NODE: process.execPath, XDG_CACHE_HOME: folder };
    const { stdout } = start(join(folder, 'link'), env, ['plan', 'two words']);
    assert.deepEqual(JSON.parse(stdout), [process.execPath, 'plan', 'two words']);
  }));

test('the Node of the machine serves if it is new enough', () =>
  withTemporaryFolder((folder) => {
    installAt(folder);
    mkdirSync(join(folder, 'path'));
    symlinkSync(process.execPath, join(folder, 'path/node'));
    const env = { PATH: `${join(folder, 'path')}:${systemPath}`, HOME: folder };
    assert.equal(JSON.parse(start(join(folder, 'bin/edge'), env).stdout)[0], process.execPath);
  }));

test('without a Node that is new enough it says what to do', () =>
  withTemporaryFolder((folder) => {
    installAt(folder);
    writeTree(folder, { 'path/node': '#!/bin/sh\nexit 1\n' });
    chmodSync(join(folder, 'path/node'), 0o755);
    const ran = start(join(folder, 'bin/edge'), {
      PATH: `${join(folder, 'path')}:${systemPath}`,
      HOME: folder,
    });
    assert.equal(ran.status, 1);
    assert.match(ran.stderr, /needs Node 24 or newer\. Run 'node scripts\/bootstrap\.mjs'/);
  }));
