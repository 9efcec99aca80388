import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as z from 'zod';
import { startLabBalancer } from './lab-balancer.ts';

const connect = { host: '127.0.0.1', port: 1 };
const lab = await startLabBalancer({
  users: [{ name: 'edge', password: 'p', role: 'operator', partition: 'Common' }],
  pools: [
    {
      name: '/Common/web',
      members: [
        { name: 'web-1:80', connect },
        { name: '10.0.0.2%10:80', connect },
      ],
    },
    { name: '/Common/empty', members: [] },
  ],
});
after(() => lab.close());

const MEMBER = '/mgmt/tm/ltm/pool/~Common~web/members/~Common~web-1:80';

type Ask = { readonly body?: unknown; readonly token?: string };

const AnswerSchema = z.looseObject({
  message: z.string().default(''),
  state: z.string().optional(),
  token: z.object({ token: z.string(), timeout: z.number() }).optional().catch(undefined),
});

async function call(method: string, path: string, { body, token }: Ask = {}) {
  const answer = await fetch(`${lab.url}${path}`, {
    method,
    headers: token === undefined ? {} : { 'x-f5-auth-token': token },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: AnswerSchema.parse(await answer.json()) };
}

async function login(): Promise<string> {
  const body = { username: 'edge', password: 'p', loginProviderName: 'tmos' };
  const { token } = (await call('POST', '/mgmt/shared/authn/login', { body })).body;
  assert.equal(token?.timeout, 1200);
  return token.token;
}

test('a request without a token is answered like the spurious 401 of real devices', async () => {
  const { status, body } = await call('GET', MEMBER);
  assert.equal(status, 401);
  assert.match(body.message, /^Authorization failed: no user authentication header or token detected/);
});

test('is ready', async () => {
  const { body } = await call('GET', '/mgmt/tm/sys/ready', { token: await login() });
  assert.match(JSON.stringify(body), /"configReady":\{"description":"yes"\}/);
});

test('values that can be read cannot all be written', async () => {
  const token = await login();
  for (const wrong of [{ session: 'monitor-enabled' }, { state: 'up' }, { address: '10.0.0.1' }]) {
    const { status, body } = await call('PATCH', MEMBER, { body: wrong, token });
    assert.equal(status, 400);
    assert.match(body.message, /^01070734/);
  }
});

test('to enable the session alone leaves a forced-down member down', async () => {
  const token = await login();
  await call('PATCH', MEMBER, { body: { session: 'user-disabled', state: 'user-down' }, token });
  const { body } = await call('PATCH', MEMBER, { body: { session: 'user-enabled' }, token });
  assert.equal(body.state, 'user-down');
});

test('an empty collection has no items', async () => {
  const { body } = await call('GET', '/mgmt/tm/ltm/pool/~Common~empty/members', { token: await login() });
  assert.equal('items' in body, false);
});

test('the percent sign of a route domain has to be escaped', async () => {
  const token = await login();
  const at = (name: string) =>
    call('GET', `/mgmt/tm/ltm/pool/~Common~web/members/~Common~${name}`, { token });
  assert.equal((await at('10.0.0.2%2510:80')).status, 200);
  const bare = await at('10.0.0.2%10:80');
  assert.equal(bare.status, 404);
  assert.match(bare.body.message, /^01020036/);
});

test('a deleted token does not exist any more', async () => {
  const token = await login();
  assert.equal((await call('DELETE', `/mgmt/shared/authz/tokens/${token}`, { token })).status, 200);
  const { status, body } = await call('GET', MEMBER, { token });
  assert.equal(status, 401);
  assert.match(body.message, /does not exist/);
});
