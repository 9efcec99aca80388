import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { expectKind, Trial } from '../../test/support/trial.ts';
import { defineAction } from './define.ts';

test('a failure that says more than is kept of a task is a fault of its action', async () => {
  const failing = (length: number) =>
    defineAction({
      ...{ name: 'some.work', major: 1, inputs: z.object({}), outputs: z.object({}), fences: true },
      apply: async () => {
        const error = {
          code: 'canary_failed',
          message: 'worse',
          evidence: { text: 'x'.repeat(length) },
        } as const;
        return { kind: 'failed', error, retryable: false };
      },
    });
  const kept = expectKind(await new Trial().attempt(failing(16_000), {}), 'failed');
  assert.equal(kept.error.code, 'canary_failed');
  const { error } = expectKind(await new Trial().attempt(failing(17_000), {}), 'failed');
  assert.equal(error.code, 'internal');
  assert.match(error.message, /^The evidence has 17011 bytes; at most 16384 are allowed$/);
});
