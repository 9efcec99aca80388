import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';

const WEEK_MS = 7 * 24 * 3_600_000;

type Asked = {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: object;
};

const ask = ({ url }: EdgeApi, { method = 'GET', path = '/v1/session', headers = {}, body }: Asked) =>
  fetch(`${url}${path}`, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });

/** The cookie that a browser would keep, as it sends it, and its attributes. */
async function signIn(edge: EdgeApi, token: string, headers = {}): Promise<{ cookie: string; set: string }> {
  const authorization = `Bearer ${token}`;
  const answer = await ask(edge, { method: 'POST', headers: { authorization, ...headers }, body: {} });
  assert.equal(answer.status, 200);
  const set = answer.headers.get('set-cookie') ?? '';
  return { cookie: set.split(';')[0] ?? '', set };
}

const codeOf = async (answer: Response): Promise<unknown> =>
  ((await answer.json()) as { error?: { code?: string } }).error?.code ?? null;

describe('sessions of browsers', () => {
  test(
    'a token begins one, whose cookie no script reads and no other site sends along',
    withEdgeApi(async (edge) => {
      const { cookie, set } = await signIn(edge, await edge.token('view', { name: 'ann' }));
      assert.match(set, /^edge_session=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/);
      const answer = await ask(edge, { headers: { cookie } });
      const { session } = (await answer.json()) as { session: { name: string; permissions: string[] } };
      assert.equal(session.name, 'ann');
      assert.ok(session.permissions.includes('status.read'));
    }),
  );

  test(
    'its cookie goes over nothing but TLS where the browser came by it',
    withEdgeApi(async (edge) => {
      const { set } = await signIn(edge, edge.adminToken, { origin: 'https://edge.example' });
      assert.match(set, /; Secure$/);
    }),
  );

  test(
    'neither the token nor the session is kept: only digests',
    withEdgeApi(async (edge) => {
      const token = await edge.token('view');
      const { cookie } = await signIn(edge, token);
      const kept = JSON.stringify(await edge.ports.records.list('session'));
      assert.ok(!kept.includes(token) && !kept.includes(cookie.split('=')[1] ?? '?'));
    }),
  );

  test(
    'what changes something needs the header of the page, which another origin cannot send',
    withEdgeApi(async (edge) => {
      const { cookie } = await signIn(edge, edge.adminToken);
      const create = { method: 'POST', path: '/v1/tokens', body: { name: 'new', role: 'view' } };
      const foreign = await ask(edge, { ...create, headers: { cookie } });
      assert.equal(await codeOf(foreign), 'permission_denied');
      for (const site of ['cross-site', 'same-site']) {
        const told = await ask(edge, {
          ...create,
          headers: { cookie, 'edge-page': '1', 'sec-fetch-site': site },
        });
        assert.equal(await codeOf(told), 'permission_denied', site);
      }
      const preflight = await ask(edge, { method: 'OPTIONS', path: '/v1/tokens' });
      assert.equal(preflight.headers.get('access-control-allow-headers'), null);
      const own = await ask(edge, { ...create, headers: { cookie, 'edge-page': '1' } });
      assert.equal(own.status, 200);
    }),
  );

  test(
    'a session begins no other, and so does not outlive its week',
    withEdgeApi(async (edge) => {
      const { cookie } = await signIn(edge, edge.adminToken);
      const again = await ask(edge, { method: 'POST', headers: { cookie, 'edge-page': '1' }, body: {} });
      assert.equal(await codeOf(again), 'token_missing');
      edge.time.now += WEEK_MS;
      assert.equal(await codeOf(await ask(edge, { headers: { cookie } })), 'token_invalid');
      await signIn(edge, edge.adminToken);
      assert.equal(
        (await edge.ports.records.list('session')).length,
        1,
        'the one that has ended is forgotten',
      );
    }),
  );

  test(
    'it ends with its token: revoked, or expired',
    withEdgeApi(async (edge) => {
      const { token, secret } = await edge.admin.createToken({ name: 'bob', role: 'deploy' });
      const bob = await signIn(edge, secret);
      await edge.admin.revokeToken({ token: token.id });
      assert.equal(await codeOf(await ask(edge, { headers: { cookie: bob.cookie } })), 'token_invalid');
      const eve = await signIn(edge, await edge.token('view', { expiresAt: edge.time.now + 5_000 }));
      assert.match(eve.set, /Max-Age=5;/);
      edge.time.now += 5_000;
      assert.equal(await codeOf(await ask(edge, { headers: { cookie: eve.cookie } })), 'token_invalid');
    }),
  );

  test(
    'signing out ends it, and takes the cookie away',
    withEdgeApi(async (edge) => {
      const { cookie } = await signIn(edge, edge.adminToken);
      const out = await ask(edge, { method: 'DELETE', headers: { cookie, 'edge-page': '1' } });
      assert.match(out.headers.get('set-cookie') ?? '', /^edge_session=; Max-Age=0; /);
      assert.equal(await codeOf(await ask(edge, { headers: { cookie } })), 'token_invalid');
    }),
  );

  test(
    'the token of a worker signs nobody in, and a token goes before a cookie',
    withEdgeApi(async (edge) => {
      const authorization = `Bearer ${await edge.token('worker', { pool: 'default' })}`;
      const worker = await ask(edge, { method: 'POST', headers: { authorization }, body: {} });
      assert.equal(await codeOf(worker), 'permission_denied');
      const { cookie } = await signIn(edge, edge.adminToken);
      const both = await ask(edge, { headers: { cookie, authorization } });
      assert.equal(await codeOf(both), 'permission_denied');
    }),
  );
});
