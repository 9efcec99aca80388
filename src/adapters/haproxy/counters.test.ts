import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCounters, parseInfo } from './counters.ts';

// As HAProxy 2.6.12 writes them. web-1: 200, 500, 404, 200 behind 103, three that none came of, and a 200 that broke off in its body.
const HEAD =
  '# pxname,svname,stot,econ,eresp,wretr,wredis,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,req_tot,srv_abrt,qtime,ctime,rtime,ttime,mode';
const MIXED = 'web,web-1,8,0,4,0,0,1,3,0,1,1,0,6,1,0,1,2,10,http';
const DEAD = 'web,web-2,4,1,0,3,0,0,0,0,0,0,0,0,0,0,0,0,0,http';
const MOVED = 'web,web-3,4,0,0,4,4,0,0,0,0,0,0,0,0,0,0,0,0,http';
const OTHER = 'api,web-1,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,http';
const STAT = [HEAD, MIXED, DEAD, MOVED, OTHER].join('\n');
const ALL = ['web-1', 'web-2', 'web-3'];

test('what was not answered is a request and an error, once for all tries', () => {
  const times = { queueMs: 0, connectMs: 1, responseMs: 2, totalMs: 10 };
  assert.deepEqual(parseCounters(STAT, 'web', ALL), {
    kind: 'counted',
    members: [
      { member: 'web-1', requests: 9, errors: 5, times },
      { member: 'web-2', requests: 1, errors: 1 },
      { member: 'web-3', requests: 4, errors: 4 },
    ],
  });
});

test('only what was asked for is counted', () => {
  const reply = parseCounters(STAT, 'web', ['web-2', 'web-9']);
  assert.ok(reply.kind === 'counted');
  assert.deepEqual(
    reply.members.map(({ member }) => member),
    ['web-2'],
  );
});

test('a backend in TCP mode has no counters of answers, and a text is no table', () => {
  const tcp = `${HEAD}\ntcp,t-1,1,0,0,0,0,,,,,,,,0,0,0,0,0,tcp`;
  assert.deepEqual(parseCounters(tcp, 'tcp', ['t-1']), { kind: 'uncounted' });
  assert.deepEqual(parseCounters('No such proxy.', 'web', ALL), { kind: 'refused' });
});

test('a process is told by its id and its age', () => {
  const info = 'Name: HAProxy\nPid: 9476\nUptime: 0d 0h00m10s\nUptime_sec: 10\nStopping: 0';
  assert.deepEqual(parseInfo(info), { pid: 9476, uptimeMs: 10_000 });
  assert.equal(parseInfo('Permission denied'), undefined);
});
