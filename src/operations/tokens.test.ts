import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withEdgeApi } from '../../test/support/edge-api.ts';
import { sha256 } from '../lib/hash.ts';
import { makeFirstToken } from './tokens.ts';

describe('tokens', () => {
  test(
    'the first start makes one token for an administrator, and no second',
    withEdgeApi(async ({ ports, admin }) => {
      assert.equal(await makeFirstToken(ports), null);
      const { tokens } = await admin.tokens();
      assert.deepEqual(
        tokens.map(({ name, role }) => [name, role]),
        [['first', 'admin']],
      );
    }),
  );

  test(
    'a token is shown once, works at once, and only its hash is kept',
    withEdgeApi(async ({ admin, client, store }) => {
      const { secret, token } = await admin.createToken({ name: 'ci', role: 'deploy' });
      assert.match(secret, /^edge_[A-Za-z0-9_-]{43}$/);
      assert.deepEqual((await client(secret).status()).projectEnvironments, []);
      const kept = await store.records.get('token', token.id);
      assert.equal(kept?.value.hash, sha256(secret));
      assert.doesNotMatch(JSON.stringify(await store.records.list('token')), new RegExp(secret.slice(5)));
      const listed = JSON.stringify(await admin.tokens());
      assert.ok(!listed.includes(secret) && !listed.includes(sha256(secret)));
    }),
  );

  test(
    'a revoked token ends at once, and revoking twice is once',
    withEdgeApi(async ({ admin, client }) => {
      const { secret, token } = await admin.createToken({ name: 'ci', role: 'view' });
      const { token: revoked } = await admin.revokeToken({ token: token.id });
      assert.deepEqual((await admin.revokeToken({ token: token.id })).token, revoked);
      await assert.rejects(client(secret).status(), { code: 'token_invalid' });
    }),
  );

  test(
    'nobody is named as Edge calls itself in the record',
    withEdgeApi(async ({ admin }) => {
      for (const name of ['engine', 'schedule'])
        await assert.rejects(admin.createToken({ name, role: 'view' }), {
          ...{ code: 'request_invalid', message: `"${name}" is what Edge calls itself in the record` },
        });
    }),
  );

  test(
    'a token ends when its time is over, and what it made ends no later',
    withEdgeApi(async ({ admin, client, time }) => {
      const expiresAt = time.now + 10_000;
      const child = await admin.createToken({ name: 'parent', role: 'admin', expiresAt });
      const made = await client(child.secret).createToken({ name: 'child', role: 'view' });
      assert.equal(made.token.expiresAt, expiresAt);
      const longer = await client(child.secret).createToken({
        ...{ name: 'longer', role: 'view', expiresAt: expiresAt + 99_000 },
      });
      assert.equal(longer.token.expiresAt, expiresAt);
      time.now = expiresAt;
      await assert.rejects(client(child.secret).status(), { code: 'token_invalid' });
      await assert.rejects(client(made.secret).status(), { code: 'token_invalid' });
    }),
  );

  test(
    'the last token of an administrator cannot be revoked',
    withEdgeApi(async ({ admin }) => {
      const [first] = (await admin.tokens()).tokens;
      await assert.rejects(admin.revokeToken({ token: first?.id ?? '' }), { code: 'request_invalid' });
      const { token } = await admin.createToken({ name: 'second', role: 'admin' });
      await admin.revokeToken({ token: token.id });
      await assert.rejects(admin.revokeToken({ token: first?.id ?? '' }), { code: 'request_invalid' });
    }),
  );

  test(
    'names are unique among tokens that work, since they stand in the record',
    withEdgeApi(async ({ admin }) => {
      const { token } = await admin.createToken({ name: 'ci', role: 'view' });
      await assert.rejects(admin.createToken({ name: 'ci', role: 'admin' }), { code: 'request_invalid' });
      await admin.revokeToken({ token: token.id });
      await admin.createToken({ name: 'ci', role: 'view' });
    }),
  );

  test(
    "a worker's token names its pool and serves no other",
    withEdgeApi(async ({ admin, client, token }) => {
      await assert.rejects(admin.createToken({ name: 'w', role: 'worker' }), { code: 'request_invalid' });
      await assert.rejects(admin.createToken({ name: 'w', role: 'view', pool: 'a' }), {
        code: 'request_invalid',
      });
      const worker = client(await token('worker', { pool: 'dc-1' }));
      await worker.waitForWork({ pool: 'dc-1', timeoutMs: 0 });
      await assert.rejects(worker.waitForWork({ pool: 'dc-2', timeoutMs: 0 }), { code: 'permission_denied' });
    }),
  );
});
