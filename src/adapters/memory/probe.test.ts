import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PAGES, probeContract } from '../../../test/contracts/probe.ts';
import type { HttpProbe } from '../../ports/probe.ts';
import { MemoryClock } from './clock.ts';
import { createMemoryProbe } from './probe.ts';

const signal = new AbortController().signal;
const silence = new Promise<never>(() => undefined);

probeContract('memory', async () => {
  const clock = new MemoryClock();
  let last: Readonly<Record<string, string>> = {};
  const port = 8080;
  return {
    probe: createMemoryProbe({
      clock,
      http: (request) => {
        const url = new URL(request.url);
        if (url.port !== String(port)) return { kind: 'nothing', why: 'connection refused' };
        if (url.pathname === '/silence') return silence;
        last = request.headers;
        const page = PAGES[url.pathname];
        return page ? { kind: 'answer', ...page } : { kind: 'nothing', why: 'connection lost' };
      },
      tcp: (_, asked) => (asked === port ? { kind: 'open' } : { kind: 'nothing', why: 'connection refused' }),
    }),
    address: '127.0.0.1',
    port,
    closedPort: 8081,
    lastHeaders: () =>
      Object.fromEntries(Object.entries(last).map(([key, value]) => [key.toLowerCase(), value])),
    until: (promise) => clock.until(promise),
    close: async () => {},
  };
});

const LOOK: HttpProbe = { url: 'http://web-1/health', headers: {}, timeoutMs: 2_000, maxBytes: 100 };
const WELL = { kind: 'answer', status: 200, headers: {}, body: 'ok' } as const;

test('where nothing is told of, the connection is refused', async () => {
  const probe = createMemoryProbe({ clock: new MemoryClock() });
  const refused = { kind: 'nothing', why: 'connection refused' };
  assert.deepEqual(await probe.http(LOOK, signal), refused);
  assert.deepEqual(await probe.tcp('web-1', 80, 1_000, signal), refused);
});

test('an answer that is there takes no time; one that takes its time is seen if it comes in time', async () => {
  const clock = new MemoryClock();
  const slow = (ms: number) =>
    createMemoryProbe({ clock, http: () => clock.sleep(ms, signal).then(() => WELL) });
  assert.deepEqual(await createMemoryProbe({ clock, http: () => WELL }).http(LOOK, signal), WELL);
  assert.deepEqual(await clock.until(slow(1_999).http(LOOK, signal)), WELL);
  assert.equal(clock.monotonicMs(), 1_999);
  assert.equal((await clock.until(slow(2_001).http(LOOK, signal))).kind, 'nothing');
  assert.equal(clock.monotonicMs(), 3_999);
});

test('a port that answers nothing is given up when its time is over', async () => {
  const clock = new MemoryClock();
  const probe = createMemoryProbe({ clock, tcp: () => silence });
  assert.equal((await clock.until(probe.tcp('web-1', 80, 700, signal))).kind, 'nothing');
  assert.equal(clock.monotonicMs(), 700);
});
