import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fastify } from 'fastify';
import { z } from 'zod';
import { withEdgeApi } from '../../test/support/edge-api.ts';
import { registerRoutes } from './register.ts';
import type { Route } from './route.ts';
import { apiServer } from './server.ts';

const json = { 'content-type': 'application/json' };

describe('the HTTP server', () => {
  test(
    'an unknown address and a wrong method are route_unknown',
    withEdgeApi(async ({ server }) => {
      for (const [method, url] of [
        ['GET', '/v1/nothing'],
        ['DELETE', '/v1/status'],
        ['GET', '/'],
      ] as const) {
        const answer = await server.inject({ method, url });
        assert.equal(answer.statusCode, 404);
        assert.equal(answer.json().error.code, 'route_unknown');
      }
    }),
  );

  test(
    'a field that does not fit is named with its path, and all of them at once',
    withEdgeApi(async ({ server, adminToken }) => {
      const headers = { ...json, authorization: `Bearer ${adminToken}` };
      const payload = { project: 'web', environment: 'a b', verb: 'explode', verison: '2', reason: '' };
      const answer = await server.inject({ method: 'POST', url: '/v1/deployments', headers, payload });
      assert.equal(answer.statusCode, 400);
      const { error } = answer.json();
      const paths = [error, ...error.also].map(({ code, where }) => `${code} ${where.path}`).sort();
      assert.deepEqual(paths, [
        'request_invalid environment',
        'request_invalid reason',
        'request_invalid verb',
        'request_invalid verison',
      ]);
    }),
  );

  test(
    'numbers and booleans of a query are read, and other texts refused',
    withEdgeApi(async ({ server, adminToken }) => {
      const headers = { authorization: `Bearer ${adminToken}` };
      const get = (query: string) =>
        server.inject({ method: 'GET', url: `/v1/deployments?${query}`, headers });
      assert.equal((await get('ended=false&limit=5')).statusCode, 200);
      for (const query of ['ended=maybe', 'limit=0', 'limit=1.5', 'limit=', 'limit=1&limit=2', 'colour=red'])
        assert.equal((await get(query)).statusCode, 400, query);
    }),
  );

  test(
    'a body that is no JSON, poisoned, of another type or too large is refused in the words of the catalogue',
    withEdgeApi(async ({ server, adminToken, faults }) => {
      const authorization = `Bearer ${adminToken}`;
      const bodies = [
        { headers: { ...json, authorization }, payload: '{"name":' },
        { headers: { ...json, authorization }, payload: '{"__proto__":{"role":"admin"}}' },
        { headers: { ...json, authorization }, payload: '' },
        { headers: { 'content-type': 'text/html', authorization }, payload: '<p>' },
        { headers: { ...json, authorization }, payload: JSON.stringify({ name: 'x'.repeat(2_000_000) }) },
      ];
      for (const { headers, payload } of bodies) {
        const answer = await server.inject({ method: 'POST', url: '/v1/tokens', headers, payload });
        assert.equal(answer.json().error.code, 'request_invalid');
        assert.equal(answer.statusCode, 400);
      }
      assert.deepEqual(faults, []);
    }),
  );

  test(
    'a fault of its own is logged with its cause, and the client learns only where to look',
    withEdgeApi(async ({ server, store, adminToken, faults }) => {
      const headers = { authorization: `Bearer ${adminToken}` };
      const views = store.views as { deployments: unknown };
      views.deployments = async () => {
        throw new Error('connect to db-1 as root:geheim');
      };
      const answer = await server.inject({ method: 'GET', url: '/v1/deployments', headers });
      assert.equal(answer.statusCode, 500);
      assert.equal(answer.json().error.code, 'internal');
      assert.doesNotMatch(answer.body, /geheim|db-1/);
      assert.match(String(faults[0]), /geheim/);
    }),
  );

  test(
    'answers are not kept by caches and not guessed at by browsers',
    withEdgeApi(async ({ server }) => {
      const { headers } = await server.inject({ method: 'GET', url: '/health' });
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }),
  );

  test(
    'a connection is kept longer than clients keep it, so that none is closed under a request',
    withEdgeApi(async ({ url }) => {
      const { headers } = await fetch(`${url}/health`);
      assert.equal(headers.get('keep-alive'), 'timeout=65');
    }),
  );

  test(
    'a second server on the same port fails with listen_failed',
    withEdgeApi(async ({ url, ports }) => {
      const port = Number(new URL(url).port);
      const second = apiServer({ ports, version: '0', onFault: () => {} });
      await assert.rejects(second.listen({ host: '127.0.0.1', port }), { code: 'listen_failed' });
      await second.close();
    }),
  );

  test('a route that declares no known permission keeps the server from starting', () => {
    const good = {
      method: 'GET',
      path: '/x',
      permission: 'status.read',
      summary: '',
      response: z.object({}),
    } as const satisfies Route;
    const { permission: _, ...open } = good;
    const start = (route: unknown, handlers = {}) =>
      registerRoutes(fastify(), { bad: route as Route }, { handlers, serving: {} as never });
    const handler = async () => ({});
    assert.throws(() => start(open, { bad: handler }), /declares no known permission/);
    assert.throws(
      () => start({ ...good, permission: 'everything' }, { bad: handler }),
      /no known permission/,
    );
    assert.throws(() => start(good), /no handler/);
    assert.throws(() => start({ ...good, stream: { resumes: false } }, { bad: handler }), /no handler/);
    assert.doesNotThrow(() => start(good, { bad: handler }));
  });
});
