import assert from 'node:assert/strict';
import { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import ssh2 from 'ssh2';
import { type Inside, spareWork } from './spared-work.ts';

test('a connection makes its ciphers of key objects, after each exchange of keys', async (t) => {
  const { private: hostKey } = ssh2.utils.generateKeyPairSync('ed25519');
  let peer: ssh2.Connection | undefined;
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
    peer = connection;
    connection.on('error', () => undefined);
    connection.on('authentication', (asked) => asked.accept());
    connection.on('session', (accept) => {
      accept().on('exec', (acceptExec) => {
        const channel = acceptExec();
        channel.write('said');
        channel.exit(0);
        channel.end();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new ssh2.Client();
  t.after(() => {
    client.end();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  client.connect({ host: '127.0.0.1', port, username: 'any', password: 'any' });
  spareWork(client);
  await once(client, 'ready');
  assertKeyObjects(client);
  assert.equal(await saidOver(client), 'said');
  const again = once(client, 'handshake');
  peer?.rekey(() => undefined);
  await again;
  assertKeyObjects(client);
  assert.equal(await saidOver(client), 'said');
});

function assertKeyObjects(client: ssh2.Client): void {
  const { _protocol: protocol } = client as ssh2.Client & Inside;
  assert.ok(protocol?._cipher?._encKey instanceof KeyObject);
  assert.ok(protocol._decipher?._decipherKey instanceof KeyObject);
}

const saidOver = (client: ssh2.Client): Promise<string> =>
  new Promise((resolve, reject) => {
    client.exec('anything', (error, channel) => {
      if (error) return reject(error);
      let said = '';
      channel.on('data', (data: Buffer) => {
        said += String(data);
      });
      channel.on('close', () => resolve(said));
    });
  });
