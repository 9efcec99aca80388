import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorLines } from './error-lines.ts';

test('an error says its code, what is wrong, where, and what to do', () => {
  const where = { file: 'prod.yaml', line: 12, column: 3, path: 'zones.0' };
  assert.deepEqual(
    errorLines({ code: 'config_invalid', message: 'A zone has no name', hint: 'Name it.', where }),
    ['error config_invalid: A zone has no name', '  at prod.yaml:12:3 (zones.0)', '  Name it.'],
  );
});

test('all that is wrong is told; advice that is the same is told once', () => {
  const body = { code: 'config_invalid', message: 'one', hint: 'Mend it.' } as const;
  const also = [
    { ...body, message: 'two', where: { path: 'a.b' } },
    { ...body, message: 'three', hint: 'Other.' },
  ];
  assert.deepEqual(errorLines({ ...body, also }), [
    ...['error config_invalid: one', '  Mend it.', 'also config_invalid: two', '  at (a.b)'],
    ...['also config_invalid: three', '  Other.'],
  ]);
});

test('an error cannot write escape sequences to a terminal', () => {
  const lines = errorLines({ code: 'internal', message: '\u001b[2Jx', hint: '\u202ey' });
  assert.deepEqual(lines, ['error internal: x', '  y']);
});

test('a target and a member are places too', () => {
  const where = { target: 'web-1', member: 'f5/web/web-1:80' };
  assert.deepEqual(errorLines({ code: 'host_unfit', message: 'No disk', hint: 'Free it.', where }), [
    ...['error host_unfit: No disk', '  at target web-1 member f5/web/web-1:80', '  Free it.'],
  ]);
});
