import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectKind, HOST, Trial } from '../../test/support/trial.ts';
import { createMemoryBalancer } from '../adapters/memory/load-balancer.ts';
import type { JsonObject } from '../lib/json.ts';
import type { HttpSeen } from '../ports/probe.ts';
import { healthVerify } from './health-verify.ts';

const URL = 'http://web-1:8080/health';
const RELEASE = { id: '2.0-abcd', version: '2.0', hash: 'abcd', artifacts: [] };

const http = (check: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  check: { kind: 'http', ...check },
  url: URL,
  passes: 3,
  intervalMs: 1_000,
  windowMs: 20_000,
  ...more,
});
const answer = (status: number, body = 'ok', headers: Record<string, string> = {}): HttpSeen => ({
  kind: 'answer',
  status,
  headers,
  body,
});

/** A target whose health page answers these in turn, the last one for ever. */
function answering(...answers: readonly HttpSeen[]): Trial {
  const trial = new Trial();
  let looks = 0;
  trial.pages.set(URL, () => {
    const seen = answers[Math.min(looks, answers.length - 1)];
    looks += 1;
    return seen ?? { kind: 'nothing', why: 'never told' };
  });
  return trial;
}

test('a check that passes often enough in a row is done', async () => {
  const trial = answering(answer(200));
  const { outputs } = expectKind(await trial.finish(healthVerify, http()), 'done');
  assert.deepEqual(outputs, { looks: 3, passed: 3, seen: `GET ${URL} answered 200` });
  assert.equal(trial.clock.monotonicMs(), 2_000);
});

test('passes count only in a row', async () => {
  const trial = answering(answer(200), answer(200), answer(503), answer(200));
  const { outputs } = expectKind(await trial.finish(healthVerify, http()), 'done');
  assert.equal(outputs.looks, 6);
});

test('a check that passes and fails in turn never passes, and ends with its window', async () => {
  const trial = new Trial();
  let looks = 0;
  trial.pages.set(URL, () => {
    looks += 1;
    return looks % 3 === 0 ? answer(500) : answer(200);
  });
  const { error, retryable } = expectKind(await trial.finish(healthVerify, http()), 'failed');
  assert.equal(error.cause, 'health');
  assert.equal(retryable, false);
  assert.match(error.message, /^it flaps, well and ill again 7 times; GET .*answered 500/);
  assert.match(error.message, /14 of 21 looks passed, needed are 3 in a row within 20 s\)$/);
});

test('a failure says what was seen last', async () => {
  const trial = answering(answer(503));
  const { error } = expectKind(await trial.finish(healthVerify, http()), 'failed');
  assert.match(error.message, /answered 503, not 200/);
});

test('a target that does not answer fails with the reason', async () => {
  const { error } = expectKind(await new Trial().finish(healthVerify, http()), 'failed');
  assert.match(error.message, /gave no answer: connection refused/);
});

test('the body must contain the text that is asked for', async () => {
  const { error } = expectKind(
    await answering(answer(200, 'starting')).finish(healthVerify, http({ body: 'ready' })),
    'failed',
  );
  assert.match(error.message, /without `ready` in its body/);
  expectKind(await answering(answer(200, 'is ready')).finish(healthVerify, http({ body: 'ready' })), 'done');
});

test('a target that is never well does not flap', async () => {
  const trial = answering(answer(503));
  const { error } = expectKind(await trial.finish(healthVerify, http()), 'failed');
  assert.doesNotMatch(error.message, /flaps/);
});

test('a value in the JSON of the answer must be the one that is asked for, at any depth and in lists', async () => {
  const json = (path: string, equals: string | number | boolean | null) => http({ json: { path, equals } });
  const body = JSON.stringify({ db: { up: true, lag: 0 }, checks: [{ state: 'warm' }], spare: null });
  const good = [
    ['db.up', true],
    ['db.lag', 0],
    ['checks.0.state', 'warm'],
    ['spare', null],
  ] as const;
  for (const [path, equals] of good)
    expectKind(await answering(answer(200, body)).finish(healthVerify, json(path, equals)), 'done');
  const bad = [
    ['db.up', 'true', /says `db.up` is true, not "true"/],
    ['checks.0.state', 'hot', /says `checks.0.state` is "warm", not "hot"/],
    ['checks.1.state', 'hot', /answered without `checks.1.state` in JSON/],
    ['db.constructor', 'x', /answered without `db.constructor` in JSON/],
  ] as const;
  for (const [path, equals, words] of bad) {
    const failed = await answering(answer(200, body)).finish(healthVerify, json(path, equals));
    assert.match(expectKind(failed, 'failed').error.message, words);
  }
  const notJson = await answering(answer(200, 'ok')).finish(healthVerify, json('db.up', true));
  assert.match(expectKind(notJson, 'failed').error.message, /answered without `db.up` in JSON/);
});

const WEB_1 = { pool: 'web', member: 'web-1' };
const monitored = (more: JsonObject = {}): JsonObject => ({
  check: { kind: 'balancer' },
  members: [{ balancer: 'edge', ...WEB_1 }],
  balancers: { edge: { kind: 'haproxy', socket: '/run/haproxy.sock' } },
  passes: 2,
  intervalMs: 1_000,
  windowMs: 5_000,
  ...more,
});

test('a drained member passes when the monitor of its balancer sees it up', async () => {
  const balancer = createMemoryBalancer({ web: ['web-1'] });
  balancer.editByHand(WEB_1, { admin: 'drained' });
  balancer.setHealth(WEB_1, 'down');
  const trial = new Trial({ balancer });
  trial.at(2_500, () => balancer.setHealth(WEB_1, 'up'));
  const { outputs } = expectKind(await trial.finish(healthVerify, monitored()), 'done');
  assert.equal(outputs.seen, 'its balancer sees web-1 (web of edge) up');
});

test('of every member that its balancer does not see up it is said why', async () => {
  const cases = [
    ['drained', 'down', /its balancer sees web-1 \(web of edge\) as down/],
    ['drained', 'unknown', /whether web-1 \(web of edge\) is up is unknown: it has no monitor/],
    ['offline', 'up', /is unknown: its balancer looks at no member that is offline/],
  ] as const;
  for (const [admin, health, words] of cases) {
    const balancer = createMemoryBalancer({ web: ['web-1'] });
    balancer.editByHand(WEB_1, { admin });
    balancer.setHealth(WEB_1, health);
    const failed = await new Trial({ balancer }).finish(healthVerify, monitored());
    assert.match(expectKind(failed, 'failed').error.message, words);
  }
});

test('a balancer that does not answer, or has no such member, is no pass', async () => {
  const balancer = createMemoryBalancer({ web: ['web-2'] });
  const gone = await new Trial({ balancer }).finish(healthVerify, monitored());
  assert.match(expectKind(gone, 'failed').error.message, /web-1 \(web of edge\) is not there/);
  balancer.setReachable(false);
  const silent = await new Trial({ balancer }).finish(healthVerify, monitored());
  assert.match(expectKind(silent, 'failed').error.message, /switched off/);
});

test('the version that answers must be that of the release', async () => {
  const inputs = http({ version: { header: 'X-Version' } }, { release: RELEASE });
  const old = answering(answer(200, '', { 'x-version': '1.0' }));
  assert.match(
    expectKind(await old.finish(healthVerify, inputs), 'failed').error.message,
    /runs `1.0`, not `2.0`/,
  );
  expectKind(await answering(answer(200, '', { 'x-version': '2.0' })).finish(healthVerify, inputs), 'done');
});

test('the version may be in the JSON of the answer', async () => {
  const inputs = http({ version: { jsonPath: 'build.version' } }, { release: RELEASE });
  const page = (version: string) => answer(200, JSON.stringify({ build: { version } }));
  expectKind(await answering(page('2.0')).finish(healthVerify, inputs), 'done');
  const mute = await answering(answer(200, 'not JSON')).finish(healthVerify, inputs);
  assert.match(expectKind(mute, 'failed').error.message, /did not say its version/);
  const nested = http({ version: { jsonPath: 'constructor.name' } }, { release: RELEASE });
  expectKind(await answering(answer(200, '{}')).finish(healthVerify, nested), 'failed');
});

test('without a release to compare with, the version is not asked for', async () => {
  const inputs = http({ version: { header: 'x-version' } }, { release: null });
  expectKind(await answering(answer(200)).finish(healthVerify, inputs), 'done');
});

test('a new owner goes on counting where the last one stopped, in the same window', async () => {
  const trial = answering(answer(503));
  expectKind(await trial.attempt(healthVerify, http()), 'wait');
  await trial.clock.advance(19_500);
  expectKind(await trial.attempt(healthVerify, http()), 'failed');
});

test('what an owner saw before it died is no row with what the next one sees', async () => {
  const trial = answering(answer(200));
  const progressOf = async () => expectKind(await trial.attempt(healthVerify, http()), 'wait').progress ?? '';
  assert.match(await progressOf(), /^1 of 3 passes in a row/);
  assert.match(await progressOf(), /^2 of 3 passes in a row/);
  const signal = AbortSignal.abort(new Error('died'));
  await assert.rejects(trial.attempt(healthVerify, http(), { signal }), /died/);
  assert.match(await progressOf(), /^1 of 3 passes in a row/);
});

test('short intervals are waited for in place, and a takeover does not prolong the window', async () => {
  const trial = answering(answer(503));
  const inputs = http({}, { intervalMs: 200, windowMs: 2_000 });
  await trial.attempt(healthVerify, inputs, { crash: { at: 'after-save' } });
  await trial.clock.advance(1_500);
  const { error } = expectKind(await trial.attempt(healthVerify, inputs), 'failed');
  assert.match(error.message, /0 of 3 looks passed/);
});

test('a TCP check passes where the port is open', async () => {
  const trial = new Trial();
  const inputs = { ...http(), check: { kind: 'tcp' }, address: '10.0.0.1', port: 5432, passes: 1 };
  const closed = expectKind(await trial.finish(healthVerify, { ...inputs, windowMs: 3_000 }), 'failed');
  assert.match(closed.error.message, /port 5432 of 10.0.0.1 cannot be reached/);
  trial.checkpoint = null;
  trial.ports.set('10.0.0.1:5432', { kind: 'open' });
  expectKind(await trial.finish(healthVerify, inputs), 'done');
});

const command = { ...http(), check: { kind: 'command', argv: ['bin/check'], timeoutMs: 2_000 }, host: HOST };

test('a command check passes with exit status 0, each look a command of its own', async () => {
  let runs = 0;
  const program = () => {
    runs += 1;
    return { durationMs: 10, code: runs === 1 ? 1 : 0, output: [{ atMs: 0, text: 'warming up' }] };
  };
  const trial = new Trial({ program });
  const { outputs } = expectKind(await trial.finish(healthVerify, command), 'done');
  assert.equal(outputs.looks, 4);
  assert.deepEqual([...trial.host.starts.values()], [1, 1, 1, 1]);
});

test('a command check that hangs is ended on the host and counts as failed', async () => {
  const trial = new Trial({ program: () => ({ durationMs: 3_600_000, code: 0 }) });
  const { error } = expectKind(await trial.finish(healthVerify, command), 'failed');
  assert.match(error.message, /`bin\/check` took longer than 2000 ms \(0 of/);
  for (const id of trial.host.starts.keys()) assert.equal(trial.host.status(id, undefined).kind, 'exited');
});

test('a new owner attaches to a check that is running instead of starting another', async () => {
  const trial = new Trial({ program: () => ({ durationMs: 100, code: 0 }) });
  await trial.attempt(healthVerify, command, { crash: { at: 'after-save' } });
  expectKind(await trial.attempt(healthVerify, command), 'wait');
  assert.equal(trial.host.starts.size, 1);
});

test('a check without a place to look at is refused', async () => {
  const { error } = expectKind(
    await new Trial().attempt(healthVerify, { ...http(), url: 'x', check: { kind: 'tcp' } }),
    'failed',
  );
  assert.equal(error.code, 'internal');
});
