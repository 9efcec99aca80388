import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inOrder, repeated, type Variable, valuesAt, variableSchema } from './variable.ts';

const SCOPE = { environment: 'prod', zone: 'east', target: 'web-1' };
const secret = { source: 'env', name: 'DB_PASSWORD' } as const;
const valueHere = (name: string, ...variables: readonly Variable[]) => valuesAt(variables, SCOPE).get(name);

const ANYWHERE = { name: 'a', value: 'anywhere' };
const ENVIRONMENT = { name: 'a', value: 'environment', environment: 'prod' };
const ZONE = { name: 'a', value: 'zone', environment: 'prod', zone: 'east' };
const TARGET = { name: 'a', value: 'target', environment: 'prod', target: 'web-1' };

test('the value nearest to the target holds, in whatever order they are written', () => {
  assert.equal(valueHere('a', ANYWHERE), 'anywhere');
  assert.equal(valueHere('a', ENVIRONMENT, ANYWHERE), 'environment');
  assert.equal(valueHere('a', ZONE, ANYWHERE, ENVIRONMENT), 'zone');
  assert.equal(valueHere('a', TARGET, ZONE, ENVIRONMENT, ANYWHERE), 'target');
});

test('what is said of other places does not hold', () => {
  const elsewhere = [
    { ...ENVIRONMENT, environment: 'test' },
    { ...ZONE, zone: 'west' },
    { ...TARGET, target: 'web-2' },
    { ...TARGET, environment: 'test' },
  ];
  assert.equal(valueHere('a', ...elsewhere), undefined);
  assert.equal(valueHere('a', ...elsewhere, ANYWHERE), 'anywhere');
});

test('an empty value is a value, and a secret stays a reference', () => {
  assert.equal(valueHere('a', ANYWHERE, { ...ENVIRONMENT, value: '' }), '');
  assert.deepEqual(valueHere('a', ANYWHERE, { name: 'a', secret, environment: 'prod' }), secret);
});

test('two values of one variable for one place are found', () => {
  assert.equal(repeated([ANYWHERE, ENVIRONMENT, ZONE, TARGET]), undefined);
  assert.deepEqual(repeated([ANYWHERE, ZONE, { ...ZONE, value: 'other' }]), { ...ZONE, value: 'other' });
});

test('the order in which they are written makes no difference to a release', () => {
  const all = [TARGET, ANYWHERE, ZONE, ENVIRONMENT];
  assert.deepEqual(inOrder(all), inOrder(all.toReversed()));
});

for (const [what, wrong, why] of [
  ['neither value nor secret', { name: 'a' }, /value or secret/],
  ['both value and secret', { name: 'a', value: '1', secret }, /value or secret/],
  ['a number', { name: 'a', value: 1 }, /put numbers in quotes/],
  ['a zone without environment', { name: 'a', value: '', zone: 'east' }, /name it/],
  ['a zone and a target', { ...ZONE, target: 'web-1' }, /not both/],
  ['a name of Edge itself', { name: 'edge.target', value: '' }, /Edge's own/],
  ['a name that a template cannot have', { name: '$(touch x)', value: '' }, /letters, digits/],
  ['a NUL', { name: 'a', value: 'a\0b' }, /without NUL/],
] as const) {
  test(`${what} is refused`, () => {
    const { error } = variableSchema.safeParse(wrong);
    assert.match(String(error?.message), why);
  });
}
