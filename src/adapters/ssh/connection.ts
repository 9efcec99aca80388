import { readFile } from 'node:fs/promises';
import { connect as connectSocket, type Socket } from 'node:net';
import { Client, type ClientChannel, type PublicKeyAuthMethod } from 'ssh2';
import { EdgeError } from '../../domain/errors.ts';
import { fileFault } from '../../lib/file-fault.ts';
import type { HostAddress } from '../../ports/hosts.ts';
import { type HostKeyCheck, hostError, hostKeyCheck, place } from './host-key.ts';

export type ConnectionTimes = {
  /** From the first packet to the end of the log-in. */
  readonly connectMs: number;
  readonly keepaliveMs: number;
  readonly keepaliveCount: number;
};

/** A peer that vanished is noticed after interval × (count + 1): 40 s. */
export const CONNECTION_TIMES: ConnectionTimes = {
  connectMs: 15_000,
  keepaliveMs: 10_000,
  keepaliveCount: 3,
};

/** sshd allows 10 sessions on a connection by default. */
const MAX_CHANNELS = 8;

/** One authenticated ssh2 connection. It owns a socket: `close` it. */
export class Connection {
  readonly host: HostAddress;
  /** Channels that are open or being opened; the pool counts them. */
  channels = 0;
  /** Falls when the host refuses another channel. */
  maxChannels = MAX_CHANNELS;
  #live = true;
  readonly #listeners = new Set<() => void>();
  readonly #client: Client;
  readonly #socket: Socket;

  constructor(host: HostAddress, client: Client, socket: Socket) {
    this.host = host;
    this.#client = client;
    this.#socket = socket;
    client.on('close', () => {
      this.#live = false;
      for (const listener of this.#listeners) listener();
    });
    // What an established connection dies of shows in `onLost`; without a listener it would end the process.
    client.on('error', () => client.destroy());
  }

  get live(): boolean {
    return this.#live;
  }

  get free(): boolean {
    return this.#live && this.channels < this.maxChannels;
  }

  /** Rejects if the host refuses the channel, or if the connection is lost. */
  exec(command: string): Promise<ClientChannel> {
    return new Promise<ClientChannel>((resolve, reject) => {
      const forget = this.onLost(() => reject(new ConnectionLost(this.host, 'the connection was lost')));
      try {
        this.#client.exec(command, (error, channel) => {
          forget();
          if (error) reject(error);
          else resolve(channel);
        });
      } catch {
        // ssh2 throws between the end of the socket and its `close`.
        forget();
        this.close();
        reject(new ConnectionLost(this.host, 'the connection was lost'));
      }
    });
  }

  /** Calls back once when the connection is gone, however it went; returns how to call that off. */
  onLost(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#live = false;
    this.#client.end();
    // A peer that is gone would keep a socket that was only ended, and with it this process.
    this.#socket.destroySoon();
  }
}

/**
 * Connects and logs in by public key, within `times.connectMs`. Rejects with `host_unreachable`, `host_key_mismatch`, `host_key_unknown`
 * or `host_auth_refused`. The host's key is judged before the log-in, so a wrong host never sees a credential.
 */
export async function connect(
  host: HostAddress,
  times: ConnectionTimes,
  signal: AbortSignal,
): Promise<Connection> {
  const [key, check] = await Promise.all([readIdentity(host), hostKeyCheck(host)]);
  signal.throwIfAborted();
  // Without TCP_NODELAY each exec waits for a delayed ACK: 88 ms instead of 2 ms.
  const socket = connectSocket({ host: host.address, port: host.port, noDelay: true });
  return new Promise((resolve, reject) =>
    logIn({ host, times, key, check, socket, signal, resolve, reject }),
  );
}

type LogIn = {
  readonly host: HostAddress;
  readonly times: ConnectionTimes;
  readonly key: Buffer;
  readonly check: HostKeyCheck;
  readonly socket: Socket;
  readonly signal: AbortSignal;
  readonly resolve: (connection: Connection) => void;
  readonly reject: (error: unknown) => void;
};

function logIn({ host, times, key, check, socket, signal, resolve, reject }: LogIn): void {
  const client = new Client();
  let refused: EdgeError | undefined;
  const abort = () => fail(signal.reason);
  const fail = (error: unknown) => {
    signal.removeEventListener('abort', abort);
    reject(error);
    client.destroy();
    socket.destroy();
  };
  const onError = (error: SshError) => fail(refused ?? asConnectError(host, error));
  signal.addEventListener('abort', abort);
  client.on('error', onError);
  client.on('close', () =>
    fail(refused ?? unreachable(host, 'the host closed the connection during the log-in')),
  );
  client.once('ready', () => {
    signal.removeEventListener('abort', abort);
    const connection = new Connection(host, client, socket);
    client.off('error', onError);
    resolve(connection);
  });
  // One method with one key: no round trip to ask which methods there are, and no password could ever be sent.
  const method: PublicKeyAuthMethod = { type: 'publickey', username: host.user, key };
  try {
    client.connect({
      sock: socket,
      username: host.user,
      authHandler: [method],
      hostVerifier: (shown: Buffer) => {
        refused = check.verify(shown);
        return refused === undefined;
      },
      algorithms: { serverHostKey: check.algorithms },
      readyTimeout: times.connectMs,
      keepaliveInterval: times.keepaliveMs,
      keepaliveCountMax: times.keepaliveCount,
    });
  } catch (cause) {
    fail(
      hostError('host_auth_refused', host, `: ${host.identityFile} is not a private key Edge can use`, {
        cause,
      }),
    );
  }
}

async function readIdentity(host: HostAddress): Promise<Buffer> {
  try {
    return await readFile(host.identityFile);
  } catch (cause) {
    const why = `: the private key ${host.identityFile} cannot be read: ${fileFault(cause)}`;
    throw hostError('host_auth_refused', host, why, { cause });
  }
}

type SshError = Error & { readonly level?: string; readonly code?: string | number };

function asConnectError(host: HostAddress, error: SshError): EdgeError {
  if (error.level === 'client-authentication') {
    return hostError('host_auth_refused', host, ` refused the key ${host.identityFile}`, { cause: error });
  }
  if (error.level === 'client-timeout') return unreachable(host, 'no log-in within the deadline', error);
  return unreachable(host, error.message, error);
}

/** A connection that worked broke: unlike with a host that cannot be reached, asking again at once may well help. */
export class ConnectionLost extends EdgeError {
  constructor(host: HostAddress, why: string) {
    super('host_unreachable', `${place(host)}: ${why}`, { where: { target: host.name } });
  }
}

/** Times that a question is asked which may be asked twice: a connection may have died long before it is used again. */
const ASK_TIMES = 3;

export async function askAgainIfLost<T>(ask: () => Promise<T>): Promise<T> {
  for (let time = 1; ; time++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ConnectionLost) || time === ASK_TIMES) throw error;
    }
  }
}

export function unreachable(host: HostAddress, why: string, cause?: unknown): EdgeError {
  return hostError('host_unreachable', host, `: ${why}`, { cause });
}
