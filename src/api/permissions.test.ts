import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import { ROLE_PERMISSIONS, ROLES } from '../domain/permission.ts';
import { ROUTES } from './contract.ts';
import type { Route } from './route.ts';

/** Every route with every kind of caller, made from the contract: a new route is in here by itself. */
const routes = Object.entries<Route>(ROUTES);

/** The status and the code, and nothing of the answer: streams are let go at once. */
async function ask(
  edge: EdgeApi,
  route: Route,
  token?: string,
): Promise<{ status: number; code: string | null }> {
  const leave = new AbortController();
  const response = await fetch(`${edge.url}${route.path.replace(/:\w+/g, 'x1')}`, {
    method: route.method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(route.body && { 'content-type': 'application/json' }),
    },
    ...(route.body && { body: '{"nothing":"fits"}' }),
    signal: leave.signal,
  });
  const { status } = response;
  const body: unknown = status < 300 ? null : await response.json();
  leave.abort();
  const code = /"code":"(\w+)"/.exec(JSON.stringify(body))?.[1] ?? null;
  return { status, code };
}

describe('permissions of the API', () => {
  test(
    'only a role with the permission of a route gets past its door',
    withEdgeApi(async (edge) => {
      const tokens = await Promise.all(ROLES.map(async (role) => ({ role, token: await edge.token(role) })));
      for (const [name, route] of routes) {
        for (const { role, token } of tokens) {
          const { permission } = route;
          const may = permission === 'public' || ROLE_PERMISSIONS[role].has(permission);
          const { status, code } = await ask(edge, route, token);
          if (may)
            assert.ok(status !== 401 && code !== 'permission_denied', `${role} may ${name}, but got ${code}`);
          else
            assert.deepEqual(
              { status, code },
              { status: 403, code: 'permission_denied' },
              `${role} may not ${name}`,
            );
        }
      }
      assert.deepEqual(edge.faults, []);
    }),
  );

  test(
    'without a good token only the public routes answer',
    withEdgeApi(async (edge) => {
      const expired = await edge.token('admin', { expiresAt: edge.time.now + 1_000 });
      const { secret: revoked, token } = await edge.admin.createToken({ name: 'gone', role: 'admin' });
      await edge.admin.revokeToken({ token: token.id });
      edge.time.now += 1_000;
      for (const [name, route] of routes) {
        for (const token of [undefined, 'edge_unknown', 'x', expired, revoked]) {
          const { status, code } = await ask(edge, route, token);
          if (route.permission === 'public') assert.equal(status, 200, name);
          else {
            const wanted = token === undefined ? 'token_missing' : 'token_invalid';
            assert.deepEqual({ status, code }, { status: 401, code: wanted }, name);
          }
        }
      }
    }),
  );

  test('nothing is public but health and the description of the API', () => {
    const open = routes.filter(([, { permission }]) => permission === 'public').map(([name]) => name);
    assert.deepEqual(open, ['health', 'openapi']);
  });

  test('reading changes nothing: what a viewer may is a GET, or signs them in and out', () => {
    for (const [name, { method, permission, cookie }] of routes)
      if (permission !== 'public' && ROLE_PERMISSIONS.view.has(permission) && !cookie)
        assert.equal(method, 'GET', name);
  });
});
