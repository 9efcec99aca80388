import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommandWords, commandFault } from './command-fault.ts';

const WORDS: CommandWords = { id: '0'.repeat(32), argv: ['a', ''], env: { A_1: 'x y' }, cwd: '/srv' };

test('a command of plain words, names and values has no fault', () => {
  assert.equal(commandFault(WORDS), undefined);
});

for (const [what, words, fault] of [
  ['an id that is no path', { id: '../../etc' }, /"\.\.\/\.\.\/etc" is not an id/],
  ['no words', { argv: [] }, /no words/],
  ['a name of a variable that no shell takes', { env: { 'A B': '' } }, /"A B" is not the name/],
  ['a NUL in a word', { argv: ['a\0'] }, /NUL/],
  ['a NUL in a variable', { env: { A: '\0' } }, /NUL/],
  ['half a character in the folder', { cwd: '\ud800' }, /surrogate/],
] as const) {
  test(`a command with ${what} is faulty`, () => {
    assert.match(commandFault({ ...WORDS, ...words }) ?? '', fault);
  });
}
