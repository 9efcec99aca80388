import assert from 'node:assert/strict';
import { rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { withTemporaryFolder } from '../../../test/support/temporary-folder.ts';
import { sha256 } from '../../lib/hash.ts';
import { localFiles } from './local-files.ts';

const THEN = new Date('2026-01-01T00:00:00Z');

describe('files of this machine', () => {
  test('a file has the digest and size of its bytes', () =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, 'a');
      const content = Buffer.alloc(3_000_000, 'edge');
      await writeFile(path, content);
      const measured = await localFiles().measure(path);
      assert.deepEqual(measured, { sha256: sha256(content), sizeBytes: content.length });
    }));

  test('a changed file is seen as changed, even with the same size and time of change', () =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, 'a');
      const artifacts = localFiles();
      await writeFile(path, 'one');
      await utimes(path, THEN, THEN);
      assert.equal((await artifacts.measure(path)).sha256, sha256('one'));
      assert.equal((await artifacts.measure(path)).sha256, sha256('one'));
      await writeFile(join(folder, 'b'), 'two');
      await utimes(join(folder, 'b'), THEN, THEN);
      await rename(join(folder, 'b'), path);
      assert.equal((await artifacts.measure(path)).sha256, sha256('two'));
    }));

  test('a file that is not there, or is a folder, is artifact_unreadable', () =>
    withTemporaryFolder(async (folder) => {
      for (const path of [join(folder, 'nothing'), folder])
        await assert.rejects(localFiles().measure(path), { code: 'artifact_unreadable' });
    }));

  test('a text is read whole, and only if it is one', () =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, 'a');
      const { readText } = localFiles();
      await writeFile(path, '\uFEFFä\r\n');
      assert.equal(await readText(path, 100), '\uFEFFä\r\n');
      assert.equal(await readText(path, 7), '\uFEFFä\r\n');
      await assert.rejects(readText(path, 6), { code: 'artifact_unreadable', message: /more than 6 bytes/ });
      await writeFile(path, Buffer.from([0x61, 0xff]));
      await assert.rejects(readText(path, 100), { code: 'artifact_unreadable', message: /UTF-8/ });
      await assert.rejects(readText(join(folder, 'no'), 100), {
        code: 'artifact_unreadable',
        message: /no such/,
      });
      await assert.rejects(readText(folder, 100), { code: 'artifact_unreadable' });
    }));
});
