import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { features, judge } from '../../scripts/features/shown.ts';
import { projectRoot } from '../../scripts/project.ts';
import { PROMISES } from '../promises.ts';

const made = [
  { id: 'drain', area: 'Drain', words: 'a drain waits', on: ['HAProxy', 'nginx'] },
  { id: 'ssh', area: 'SSH', words: 'hosts behind jump hosts' },
] as const;
const declared = (...titles: readonly string[]) => ({ file: 'test/e2e/x.test.ts', titles, skipped: false });

describe('promises and their tests', () => {
  test('each promise has its end-to-end tests, and no test names a promise that is not made', async () => {
    const { promises, strays } = await features(projectRoot, PROMISES);
    const lacking = promises.filter(({ missing }) => missing.length > 0);
    assert.deepEqual(
      lacking.map(({ words, missing }) => `${words}: ${missing.join()}`),
      [],
    );
    assert.deepEqual(strays, []);
  });

  test('each promise has an id and words of its own', () => {
    for (const key of ['id', 'words'] as const)
      assert.equal(new Set(PROMISES.map((promise) => promise[key])).size, PROMISES.length, key);
  });

  test('a promise of several balancers needs a test on each, by the names in its titles', () => {
    const tests = [
      declared('drains behind HAProxy', '«a drain waits»'),
      declared('«hosts behind jump hosts»'),
    ];
    const [drain, ssh] = judge(made, tests).promises;
    assert.deepEqual(drain?.missing, ['no test on nginx']);
    assert.deepEqual(ssh?.missing, []);
    const all = judge(made, [...tests, declared('nginx: «a drain waits», and more')]).promises;
    assert.deepEqual(all[0]?.missing, []);
    assert.equal(all[0]?.tests.length, 2);
  });

  test('a promise without a test, or with none that runs, is told', () => {
    const skipped = { ...declared('«hosts behind jump hosts»'), skipped: true };
    assert.deepEqual(judge(made, [skipped]).promises[1]?.missing, ['no test']);
  });

  test('words that no promise has are told with their file', () => {
    assert.deepEqual(judge(made, [declared('nginx: «a drain wiats»')]).strays, [
      '«a drain wiats» in test/e2e/x.test.ts is no promise',
    ]);
  });
});
