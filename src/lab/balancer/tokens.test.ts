import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TOKEN_LIMIT, Tokens } from './tokens.ts';

const operator = { name: 'edge', password: 'p', role: 'operator', partition: 'Common' } as const;
const admin = { name: 'admin', password: 'p', role: 'admin', partition: 'all' } as const;

function tokensAt() {
  const time = { ms: 1_000 };
  return { time, tokens: new Tokens([operator, admin], () => time.ms) };
}

const issue = (tokens: Tokens, name: string): string => {
  const token = tokens.login(name, 'p');
  assert.ok(typeof token === 'object');
  return token.token;
};

test('a user has at most 100 live tokens, and gets another when one is deleted or expires', () => {
  const { time, tokens } = tokensAt();
  const first = issue(tokens, 'edge');
  for (let n = 1; n < TOKEN_LIMIT; n += 1) issue(tokens, 'edge');
  assert.equal(tokens.login('edge', 'p'), 'full');
  tokens.delete(first);
  issue(tokens, 'edge');
  assert.equal(tokens.login('edge', 'p'), 'full');
  time.ms += 1_200_000;
  issue(tokens, 'edge');
  assert.equal(tokens.live('edge'), 1);
});

test('the account named admin has no limit', () => {
  const { tokens } = tokensAt();
  for (let n = 0; n <= TOKEN_LIMIT; n += 1) issue(tokens, 'admin');
  assert.equal(tokens.live('admin'), TOKEN_LIMIT + 1);
});

test('a token expires after 20 minutes, which is another thing than not to exist', () => {
  const { time, tokens } = tokensAt();
  const token = issue(tokens, 'edge');
  time.ms += 1_199_999;
  assert.deepEqual(tokens.check(token), { user: operator });
  time.ms += 1;
  assert.equal(tokens.check(token), 'expired');
  tokens.delete(token);
  assert.equal(tokens.check(token), 'unknown');
});
