import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { perTest } from '../../../test/support/per-test.ts';
import { sha256 } from '../../lib/hash.ts';
import { ArtifactStore } from './store.ts';

const LIMIT = 1_000;

const opened = perTest(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-store-'));
  const process = (owner: string) => new ArtifactStore({ folder, owner, limitBytes: LIMIT });
  const store = process('one');
  let hours = 0;
  /** Each as if an hour later than the one before. */
  const add = async (size: number, into = store): Promise<string> => {
    const bytes = randomBytes(size);
    const digest = sha256(bytes);
    const path = await into.scratch();
    await writeFile(path, bytes);
    hours += 1;
    await utimes(path, hours * 3_600, hours * 3_600);
    await into.add(path, { sha256: digest, sizeBytes: size });
    return digest;
  };
  const place = (digest: string) => join(folder, 'sha256', digest.slice(0, 2), digest);
  return { folder, store, process, add, place, dispose: () => rm(folder, { recursive: true, force: true }) };
});

describe('the artifact store', () => {
  test('removes what was used longest ago to make room, and no more than that takes', async () => {
    const { store, add } = await opened();
    const [first, second, third] = [await add(400), await add(400), await add(100)];
    await store.hold(first, async () => {});
    const fourth = await add(300);
    assert.deepEqual(await Promise.all([first, second, third, fourth].map((one) => store.has(one))), [
      ...[true, false, true, true],
    ]);
  });

  test('removes nothing that somebody holds, in this process or another', async () => {
    const { store, process, add } = await opened();
    const [first, second] = [await add(400), await add(400)];
    const other = process('two');
    await store.hold(first, () =>
      other.hold(second, async () => {
        await assert.rejects(add(300), { code: 'artifact_store_full' });
        assert.deepEqual([await store.has(first), await store.has(second)], [true, true]);
      }),
    );
    await add(300);
    assert.equal(await store.has(first), false);
  });

  test('gives a file that stays while it is held, even where its place is cleared', async () => {
    const { store, add } = await opened();
    const digest = await add(500);
    const read = await store.hold(digest, async (path) => {
      await store.drop(digest);
      return readFile(path);
    });
    assert.equal(sha256(read ?? ''), digest);
    assert.equal(await store.hold(digest, async () => 'here'), null);
  });

  test('never removes what is kept', async () => {
    const { store, add } = await opened();
    const kept = await add(600);
    assert.equal(await store.keep(kept), true);
    await assert.rejects(add(500), { code: 'artifact_store_full' });
    await store.drop(kept);
    assert.deepEqual(await store.measured(kept), { sha256: kept, sizeBytes: 600 });
    assert.equal(await store.keep('a'.repeat(64)), false);
  });

  test('counts what is not whole yet, and makes room of it once nobody writes to it any more', async () => {
    const { process, add } = await opened();
    const part = await process('gone').part('a'.repeat(64));
    await writeFile(part, randomBytes(600));
    await assert.rejects(add(500), { code: 'artifact_store_full' });
    await add(300);
    const hoursAgo = Date.now() / 1_000 - 2 * 3_600;
    await utimes(part, hoursAgo, hoursAgo);
    await add(500);
    assert.equal(existsSync(part), false);
  });

  test('clears away what a process left that has not come back for a week', async () => {
    const { folder, process } = await opened();
    const gone = process('gone');
    const [part, scratch] = [await gone.part('a'.repeat(64)), await gone.scratch()];
    await writeFile(part, 'a part');
    await mkdir(scratch);
    await writeFile(join(scratch, 'a'), 'of a folder');
    const held = join(folder, 'owners/gone/held');
    await link(part, join(held, 'one'));
    await process('next').scratch();
    assert.deepEqual([existsSync(part), existsSync(scratch), await readdir(held)], [true, true, ['one']]);
    const daysAgo = Date.now() / 1_000 - 8 * 24 * 3_600;
    for (const path of [part, scratch, join(scratch, 'a')]) await utimes(path, daysAgo, daysAgo);
    await process('another').scratch();
    assert.deepEqual([existsSync(part), existsSync(scratch), await readdir(held)], [false, false, []]);
  });

  test('sees that a file was damaged, after a start of the process', async () => {
    const { store, process, add, place } = await opened();
    const digest = await add(500);
    assert.equal((await store.measured(digest))?.sha256, digest);
    const bytes = await readFile(place(digest));
    await writeFile(place(digest), bytes.fill(0, 10, 20));
    assert.notEqual((await process('two').measured(digest))?.sha256, digest);
    await truncate(place(digest), 10);
    assert.notEqual((await store.measured(digest))?.sha256, digest, 'and at once where its size is another');
  });

  test('lets go of what a process held that has ended', async () => {
    const { store, process, add } = await opened();
    const digest = await add(900);
    const ended = Promise.withResolvers<void>();
    const held = store.hold(digest, () => ended.promise);
    await assert.rejects(add(900, process('two')), { code: 'artifact_store_full' });
    // The next process of the same name begins, and the one before never got to let go of it.
    await add(900, process('one'));
    assert.equal(await store.has(digest), false);
    ended.resolve();
    await held;
  });
});
