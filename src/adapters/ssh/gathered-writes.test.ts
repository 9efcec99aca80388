import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { gatherWrites } from './gathered-writes.ts';

/** What a server has read to the end of what this writes. */
async function sent(write: (socket: Socket) => void | Promise<void>): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  const read = once(server, 'connection').then(([peer]) => text(peer));
  const socket = gatherWrites(connect({ host: '127.0.0.1', port: address.port, noDelay: true }));
  try {
    await write(socket);
    return await read;
  } finally {
    socket.destroy();
    server.close();
  }
}

test('what is written in one turn is held until its end, and then sent at once', async () => {
  const said = await sent(async (socket) => {
    await once(socket, 'connect');
    socket.write('length ');
    socket.write('body ');
    socket.write('tag ');
    assert.equal(socket.writableCorked, 1);
    assert.equal(socket.writableLength, 16);
    await Promise.resolve();
    assert.equal(socket.writableCorked, 0);
    socket.end('end');
  });
  assert.equal(said, 'length body tag end');
});

test('nothing is lost of what is written before the socket is connected, or just before it is ended', async () => {
  const said = await sent((socket) => {
    socket.write('before ');
    socket.write('the end');
    socket.end();
  });
  assert.equal(said, 'before the end');
});

test('whoever writes more than the socket takes is told to wait, and told when it may go on', async () => {
  const much = 'x'.repeat(1_000_000);
  const said = await sent(async (socket) => {
    await once(socket, 'connect');
    assert.equal(socket.write(much), false);
    await once(socket, 'drain');
    socket.end();
  });
  assert.equal(said.length, much.length);
});
