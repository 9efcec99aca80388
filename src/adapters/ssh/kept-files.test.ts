import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeptFiles } from './kept-files.ts';

test('a file is understood once, until it changes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-kept-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'key');
  let times = 0;
  const kept = new KeptFiles((content) => {
    times += 1;
    return content.toString();
  });
  await writeFile(file, 'one');
  assert.deepEqual(await Promise.all([kept.read(file), kept.read(file)]), ['one', 'one']);
  assert.equal(await kept.read(file), 'one');
  assert.ok(times <= 2, `${times} times`);
  await writeFile(file, 'another');
  assert.equal(await kept.read(file), 'another');
});

test('a file that is not there is looked for again, and one that cannot be understood is read again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-kept-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'key');
  let isWrong = true;
  const kept = new KeptFiles((content) => {
    if (isWrong) throw new Error('not a key');
    return content.toString();
  });
  await assert.rejects(kept.read(file), /ENOENT/);
  await writeFile(file, 'one');
  await assert.rejects(kept.read(file), /not a key/);
  isWrong = false;
  assert.equal(await kept.read(file), 'one');
});
