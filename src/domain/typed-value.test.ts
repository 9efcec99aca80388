import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueFault, valueSchema } from './typed-value.ts';

test('a text that is too long meets no pattern', () => {
  const { error } = valueSchema({ type: 'string', pattern: 'a*b' }).safeParse('\n'.repeat(10_000_000));
  assert.deepEqual(
    error?.issues.map(({ message }) => message),
    ['text of at most 1024 characters'],
  );
});

test('of many texts to choose from some are told', () => {
  const values = Array.from({ length: 100 }, (_, index) => `v${index}`.padEnd(1_000, 'x'));
  const fault = valueFault({ type: 'enum', values }, 'other') ?? '';
  assert.match(fault, /^one of v0x.* and 92 more$/);
});
