import { createSecretKey } from 'node:crypto';
import type { Client } from 'ssh2';

/** What ssh2 1.17 has inside and does not promise. Each part is optional here: without it all works as before, and costs more. */
export type Inside = {
  readonly _protocol?: {
    readonly _cipher?: { _encKey?: unknown };
    readonly _decipher?: { _decipherKey?: unknown };
    readonly _handlers?: { GLOBAL_REQUEST?: GlobalRequest };
  };
};

type GlobalRequest = (
  protocol: { requestFailure: () => void },
  name: string,
  wantsReply: boolean,
  data: unknown,
) => void;

/**
 * Spares a connection what nobody needs and many connections pay for. Call it after `connect`.
 *
 * - A cipher is made for each packet. From the bytes of its key Node 24 makes it in 27 µs, from a key object in 4 µs.
 * - sshd tells all of its host keys after the log-in (`hostkeys-00@openssh.com`), and ssh2 has it prove that they are its own: a
 *   signature of the host for each, verified here, for whoever wants to learn new keys. Edge learns none from a host.
 */
export function spareWork(client: Client): void {
  const { _protocol: protocol } = client as Client & Inside;
  if (!protocol) return;
  client.on('handshake', () => {
    const { _cipher: cipher, _decipher: decipher } = protocol;
    if (cipher) cipher._encKey &&= asKeyObject(cipher._encKey);
    if (decipher) decipher._decipherKey &&= asKeyObject(decipher._decipherKey);
  });
  const handlers = protocol._handlers;
  const handle = handlers?.GLOBAL_REQUEST;
  if (!handlers || !handle) return;
  handlers.GLOBAL_REQUEST = (of, name, wantsReply, data) => {
    if (name !== 'hostkeys-00@openssh.com') handle(of, name, wantsReply, data);
    else if (wantsReply) of.requestFailure();
  };
}

const asKeyObject = (key: unknown): unknown => (key instanceof Uint8Array ? createSecretKey(key) : key);
