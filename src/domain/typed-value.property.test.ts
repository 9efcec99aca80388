import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostileText } from '../../test/support/hostile-text.ts';
import { type ValueType, valueFault, valueOfText } from './typed-value.ts';

/** `EDGE_FUZZ_RUNS=1000000` for as many of each. */
const numRuns = Number(process.env.EDGE_FUZZ_RUNS ?? 2_000);

const NAME: ValueType = { type: 'string', pattern: '[a-z][a-z0-9_-]{0,30}' };
const ANY: ValueType = { type: 'string', pattern: '[^x]*' };

test('a text that is taken matches its pattern from end to end, whatever surrounds what would match', () => {
  fc.assert(
    fc.property(hostileText, fc.constantFrom('', 'web', 'a-1'), hostileText, (before, inside, after) => {
      const value = before + inside + after;
      if (valueFault(NAME, value) === undefined) assert.match(value, /^[a-z][a-z0-9_-]{0,30}$/);
    }),
    { numRuns },
  );
});

test('no text of any pattern has a control character, half a character, or more than it may', () => {
  fc.assert(
    fc.property(hostileText, (value) => {
      if (valueFault(ANY, value) !== undefined) return;
      assert.doesNotMatch(value, /\p{Cc}/u);
      assert.ok(value.isWellFormed() && value.length <= 1_024);
    }),
    { numRuns },
  );
});

test('a value of another type is never taken', () => {
  const types: readonly ValueType[] = [
    { type: 'integer', min: -5, max: 5 },
    { type: 'boolean' },
    { type: 'enum', values: ['a', 'b'] },
  ];
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.oneof(hostileText, fc.anything()), (type, value) => {
      if (valueFault(type, value) !== undefined) return;
      const isOf = {
        integer: Number.isInteger(value) && Math.abs(Number(value)) <= 5,
        boolean: typeof value === 'boolean',
        enum: value === 'a' || value === 'b',
        string: false,
      };
      assert.ok(isOf[type.type]);
    }),
    { numRuns },
  );
});

test('a text is read as the value that writes itself so, or left as it is', () => {
  const types: readonly ValueType[] = [{ type: 'integer' }, { type: 'boolean' }, NAME];
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.oneof(hostileText, fc.integer().map(String)), (type, text) => {
      const value = valueOfText(type, text);
      assert.ok(String(value) === text || (text === '-0' && value === 0));
    }),
    { numRuns },
  );
});
