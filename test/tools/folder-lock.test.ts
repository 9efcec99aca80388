import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { withFolderLock } from '../../scripts/folder-lock.mjs';
import { projectRoot } from '../../scripts/project.ts';
import { withTemporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);

test('processes hold the lock one after the other', () =>
  withTemporaryFolder(async (folder) => {
    const counter = join(folder, 'counter');
    writeFileSync(counter, '0');
    const script = `
      import { readFileSync, writeFileSync } from 'node:fs';
      import { withFolderLock } from '${join(projectRoot, 'scripts/folder-lock.mjs')}';
      withFolderLock('${join(folder, 'lock')}', () => {
        const value = Number(readFileSync('${counter}', 'utf8'));
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
        writeFileSync('${counter}', String(value + 1));
      });`;
    const start = () => run(process.execPath, ['--input-type=module', '--eval', script], { timeout: 20_000 });
    await Promise.all([start(), start(), start(), start()]);
    assert.equal(readFileSync(counter, 'utf8'), '4');
  }));

test('the lock of a process that died is taken over', () =>
  withTemporaryFolder((folder) => {
    const lock = join(folder, 'lock');
    const dead = spawnSync(process.execPath, ['--eval', '0']).pid;
    mkdirSync(lock);
    writeFileSync(join(lock, 'pid'), String(dead));
    assert.equal(
      withFolderLock(lock, () => 'held'),
      'held',
    );
    assert.equal(existsSync(lock), false);
  }));

test('an action that throws gives the lock back', () =>
  withTemporaryFolder((folder) => {
    const lock = join(folder, 'lock');
    const action = () => {
      throw new Error('no');
    };
    assert.throws(() => withFolderLock(lock, action), /no/);
    assert.equal(existsSync(lock), false);
  }));
