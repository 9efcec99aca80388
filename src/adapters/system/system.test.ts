import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { EdgeError } from '../../domain/errors.ts';
import { systemClock } from './clock.ts';
import { sortableIds } from './ids.ts';
import { systemSecrets } from './secrets.ts';

test('ids of one process sort in the order in which they were made, also when the clock goes back', () => {
  let now = 1_700_000_000_000;
  const ids = sortableIds({ now: () => now });
  const made = Array.from({ length: 40_000 }, (_, n) => {
    if (n === 20_000) now -= 60_000;
    return ids.deployment();
  });
  assert.deepEqual(made.toSorted(), made);
  assert.equal(new Set(made).size, made.length);
});

test('ids sort by time and have one length', () => {
  const at = (now: number) => sortableIds({ now: () => now }).command();
  const made = [0, 1, 31, 32, 1_700_000_000_000, 1_700_000_000_001, 33_000_000_000_000].map(at);
  assert.deepEqual(made.toSorted(), made);
  for (const id of made) assert.match(id, /^[0-9a-hjkmnp-tv-z]{20}$/);
});

test('a secret comes from the environment that was handed in', async () => {
  const secrets = systemSecrets({ TOKEN: 's3cret', EMPTY: '' });
  assert.equal(await secrets.resolve({ source: 'env', name: 'TOKEN' }), 's3cret');
  for (const name of ['EMPTY', 'ABSENT']) {
    await assert.rejects(secrets.resolve({ source: 'env', name }), isUnavailable);
  }
});

test('a secret comes from a file, without the line break at its end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-secrets-'));
  const name = join(folder, 'password');
  const secrets = systemSecrets({});
  await assert.rejects(secrets.resolve({ source: 'file', name }), isUnavailable);
  writeFileSync(name, ' two\nlines \n');
  assert.equal(await secrets.resolve({ source: 'file', name }), ' two\nlines ');
  rmSync(folder, { recursive: true });
});

test('a sleep ends with the reason of its signal', async () => {
  const stop = new AbortController();
  const sleep = systemClock.sleep(3_600_000, stop.signal);
  stop.abort(new Error('enough'));
  await assert.rejects(sleep, /enough/);
  await assert.rejects(systemClock.sleep(0, stop.signal), /enough/);
});

test('a sleep lasts at least as long as it was told', async () => {
  const begin = systemClock.monotonicMs();
  await systemClock.sleep(20, new AbortController().signal);
  assert.ok(systemClock.monotonicMs() - begin >= 19);
});

const isUnavailable = (error: unknown): boolean =>
  error instanceof EdgeError && error.code === 'secret_unavailable';
