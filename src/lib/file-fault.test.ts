import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileFault } from './file-fault.ts';

test('a fault of a file is told in words, and an unknown one as the system tells it', () => {
  const missing = Object.assign(new Error("ENOENT: no such file or directory, open 'a'"), { code: 'ENOENT' });
  assert.equal(fileFault(missing), 'there is no such file or folder');
  const odd = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  assert.equal(fileFault(odd), 'EIO: i/o error');
  assert.equal(fileFault('torn'), 'torn');
});
