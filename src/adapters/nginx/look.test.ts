import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionsTo, type Look, parseLook } from './look.ts';

const ID = 'abcd';
const FILE = 'upstream web {\n  server 10.0.0.1:8080;\n}';
/** The machine booted at 1,000,000 s and is 500 s up. */
const replyOf = (writtenS: number, ...more: readonly string[]): string =>
  [FILE, `@${ID} times ${writtenS} 1000500 500.25`, ...more.map((line) => `@${ID} ${line}`), ''].join('\n\n');

const seen = (reply: string): Look => {
  const look = parseLook(reply, ID);
  assert.ok(look);
  return look;
};

test('the file comes back byte for byte, with or without a line break at its end', () => {
  for (const file of [FILE, `${FILE}\n`, '']) {
    const reply = `${file}\n@${ID} times 1 2 1\n\n@${ID} done\n`;
    assert.equal(seen(reply).file, file);
  }
});

test('a reply without its end is no look', () => {
  assert.equal(parseLook(replyOf(1, 'worker 7 100 current', 'counted'), ID), undefined);
  assert.equal(parseLook('sh: cat: not found\n', ID), undefined);
});

test('a file that was written after a worker had started is not what nginx does', () => {
  const started = (ticks: number) =>
    replyOf(1_000_300, `worker 7 ${ticks} current`, 'worker 6 10 old', 'done');
  assert.equal(seen(started(30_100)).isPending, false);
  assert.equal(seen(started(20_000)).isPending, true);
  assert.deepEqual(seen(started(1)).workers, { current: 1, old: 1 });
});

test('connections are counted by address and port, over IPv4 and IPv6', () => {
  const peers = ['0100000A:1F90', '0100000A:1F90', '0100000A:0050', '00000000000000000000000001000000:1F90'];
  const mapped = '0000000000000000FFFF00000100000A:1F90';
  const look = seen(replyOf(1, ...[...peers, mapped].map((peer) => `peer ${peer}`), 'counted', 'done'));
  assert.equal(connectionsTo('10.0.0.1:8080', look), 3);
  assert.equal(connectionsTo('10.0.0.1', look), 1);
  assert.equal(connectionsTo('[::1]:8080', look), 1);
  assert.equal(connectionsTo('[0:0::0001]:8080', look), 1);
  assert.equal(connectionsTo('10.0.0.2:8080', look), 0);
});

test('what cannot be counted is unknown: a name, a socket, or a host that shows no connections', () => {
  const counted = seen(replyOf(1, 'counted', 'done'));
  for (const address of ['web-1:8080', 'unix:/run/web.sock', '10.0.0.999:1', '[::zz]:1'])
    assert.equal(connectionsTo(address, counted), undefined);
  assert.equal(connectionsTo('10.0.0.1:8080', seen(replyOf(1, 'done'))), undefined);
});

test('no connection is zero only when no worker of an earlier configuration is left', () => {
  const look = seen(replyOf(1, 'worker 6 10 old', 'peer 0100000A:1F90', 'counted', 'done'));
  assert.equal(connectionsTo('10.0.0.1:8080', look), 1);
  assert.equal(connectionsTo('10.0.0.2:8080', look), undefined);
});
