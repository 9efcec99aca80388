import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '../../lib/hash.ts';
import { SQLITE } from './dialect.ts';
import { migrations, SCHEMA_VERSION } from './schema.ts';

/** What each migration was when it was released. A new one gets a new line; a line is never changed. */
const RELEASED: readonly string[] = [
  '839561f2f85b4644',
  '1f9116d527b7ca54',
  '3f324b61dc15d288',
  'f57fd30e8a932bec',
];

test('migrations are numbered without gaps and are what they were when they were released', () => {
  const all = migrations(SQLITE);
  assert.deepEqual(
    all.map(({ version }) => version),
    all.map((_, index) => index + 1),
  );
  assert.equal(all.at(-1)?.version, SCHEMA_VERSION);
  assert.deepEqual(
    all.map(({ statements }) => hashOf(statements.map((one) => one.replace(/\s+/g, ' '))).slice(0, 16)),
    RELEASED,
  );
});
