import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../scripts/project.ts';
import { findGuards } from './guards.ts';
import { runMutant, type Verdict } from './run-mutant.ts';

const run = (name: string, limitMs = 120_000): Promise<Verdict> =>
  runMutant(name, {
    program: join(projectRoot, 'test/mutants/engine-trial.ts'),
    seeds: 150,
    from: 1,
    limitMs,
  });

test('a planted bug is in the code that runs, and a world that looks sees it', async () => {
  const verdict = await run('fresh-targets-while-paused');
  assert.equal(verdict.kind, 'caught');
});

test('a guard is deleted from the code that runs', async () => {
  const guard = findGuards().find(({ name }) => name.startsWith('advance.ts') && name.includes('isTerminal'));
  const verdict = await run(guard?.name ?? 'none');
  assert.equal(verdict.kind === 'caught' && verdict.invariant, 'the turn does not come to rest');
});

test('a bug that no seed shows survives all of them', async () => {
  assert.deepEqual(await run('attempt-counter-never-reset'), { kind: 'survived', seeds: 150 });
});

test('a bug in code that is never loaded is broken, and not a survivor', async () => {
  const verdict = await run('lease-not-renewed');
  assert.ok(verdict.kind === 'broken' && /never loaded/.test(verdict.why));
});

test('a bug that nobody wrote is broken', async () => {
  const verdict = await run('no-such-bug');
  assert.ok(verdict.kind === 'broken' && /no planted bug/.test(verdict.why));
});

test('a process that says nothing for too long is broken', async () => {
  assert.deepEqual(await run('fresh-targets-while-paused', 1), {
    kind: 'broken',
    seeds: 0,
    why: 'nothing within 0.001 s',
  });
});
