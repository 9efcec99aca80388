import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminOf, healthOf, parseServersState, parseStat } from './replies.ts';

// As HAProxy 2.6.12 wrote them.
const STATE = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
3 web 1 web-1 127.0.0.1 2 8 30 1 0 8 2 0 6 0 0 0 - 18081 - 0 0 - - 0
3 web 2 web-2 127.0.0.1 0 1 1 1 1 1 0 2 0 0 0 0 - 18082 - 0 0 - - 0`;

const STAT = `# pxname,svname,qcur,qmax,scur,smax,slim,stot,status,weight,check_status,check_code
web,web-1,2,0,3,0,,0,DRAIN,30,L7OK,200
web,web-2,0,0,0,0,,0,no check,1,,
web,web-3,0,0,1,0,,0,UP 1/2,1,L7OK,200
web,web-4,0,0,0,0,,0,UP,1,INI,
web,web-5,0,0,0,0,,0,UP,1,L7OK,200
api,web-1,0,0,9,0,,0,UP,1,L7OK,200`;

test('reads state, admin bits and weight of each server by the names of the columns', () => {
  assert.deepEqual(parseServersState(STATE), [
    { name: 'web-1', opState: 2, adminState: 8, weight: 30, address: '127.0.0.1', port: 18_081 },
    { name: 'web-2', opState: 0, adminState: 1, weight: 1, address: '127.0.0.1', port: 18_082 },
  ]);
});

test('a server that is not resolved, or on a file of its machine, has no address', () => {
  for (const address of ['-', '0.0.0.0', '::', 'unix']) {
    const [server] = parseServersState(STATE.replace('127.0.0.1', address)) ?? [];
    assert.ok(server && !('address' in server) && !('port' in server), address);
  }
});

test('the text of an error is no table', () => {
  assert.equal(parseServersState("Can't find backend."), undefined);
  assert.equal(parseStat('No such proxy.', 'web'), undefined);
});

test('counts running and queued requests of the servers of one backend', () => {
  const stats = parseStat(STAT, 'web');
  assert.deepEqual(stats?.get('web-1'), { connections: 5, check: 'sure', hasCookie: false });
  assert.deepEqual(stats?.get('web-2'), { connections: 0, check: 'none', hasCookie: false });
});

test('a cookie is found behind a text with commas', () => {
  const stat = `# pxname,svname,qcur,scur,status,check_status,last_chk,cookie
web,web-1,0,0,UP,L7OK,"OK, ""well"", it says",web-1
web,web-2,0,0,UP,L7OK,,`;
  const stats = parseStat(stat, 'web');
  assert.equal(stats?.get('web-1')?.hasCookie, true);
  assert.equal(stats?.get('web-2')?.hasCookie, false);
});

test('maintenance wins over drain, and an address set by the socket is neither', () => {
  const admin = [0, 1, 2, 4, 8, 16, 32, 64, 1 | 8, 64 | 16].map((adminState) => adminOf({ adminState }));
  assert.deepEqual(admin, [
    'enabled',
    'offline',
    'offline',
    'offline',
    'drained',
    'drained',
    'offline',
    'enabled',
    'offline',
    'drained',
  ]);
});

test('a server is up only when its check is sure of it', () => {
  const stats = parseStat(STAT, 'web');
  const health = (name: string, opState: number, adminState = 0) =>
    healthOf({ name, opState, adminState, weight: 1 }, stats?.get(name));
  assert.equal(health('web-5', 2), 'up');
  assert.equal(health('web-3', 2), 'checking');
  assert.equal(health('web-4', 2), 'checking');
  assert.equal(health('web-5', 1), 'checking');
  assert.equal(health('web-5', 0), 'down');
  assert.equal(health('web-5', 0, 1), 'unknown');
  assert.equal(health('web-2', 2), 'unknown');
});
