import { connect as connectSocket, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Client, type ClientChannel } from 'ssh2';
import type { EdgeError } from '../../domain/errors.ts';
import type { HostAddress } from '../../ports/hosts.ts';
import { type CredentialSources, type Method, methodsOf } from './credentials.ts';
import { gatherWrites } from './gathered-writes.ts';
import { hostError, place } from './host-error.ts';
import { type HostKeyCheck, hostKeyCheck } from './host-key.ts';
import { keyShownOver, type ShowKey } from './shown-key.ts';
import { spareWork } from './spared-work.ts';
import {
  type Connect,
  Connection,
  ConnectionLost,
  type ConnectionTimes,
  type HostChannel,
  unreachable,
} from './transport.ts';

/** One authenticated ssh2 connection. */
class LibraryConnection extends Connection {
  readonly #client: Client;
  readonly #socket: Duplex;

  constructor(host: HostAddress, client: Client, socket: Duplex) {
    super(host);
    this.#client = client;
    this.#socket = socket;
    client.on('close', () => this.lost());
    // What an established connection dies of shows in `onLost`; without a listener it would end the process.
    client.on('error', () => client.destroy());
  }

  exec(command: string, input: string): Promise<HostChannel> {
    return new Promise((resolve, reject) => {
      const forget = this.onLost(() => reject(new ConnectionLost(this.host, 'the connection was lost')));
      try {
        this.#client.exec(command, (error, channel) => {
          forget();
          if (error) return reject(error);
          channel.on('error', () => undefined);
          channel.write(input);
          resolve(this.#channelOf(channel));
        });
      } catch {
        // ssh2 throws between the end of the socket and its `close`.
        forget();
        this.close();
        reject(new ConnectionLost(this.host, 'the connection was lost'));
      }
    });
  }

  /** A stream to another host, as the host of this connection reaches it. */
  forward(to: HostAddress): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const why = `cannot be reached from ${place(this.host)}`;
      const forget = this.onLost(() => reject(unreachable(to, `${why}: the connection was lost`)));
      this.#client.forwardOut('127.0.0.1', 0, to.address, to.port ?? 22, (error, stream) => {
        forget();
        if (error) return reject(unreachable(to, `${why}: ${error.message}`, error));
        this.onLost(() => stream.destroy());
        resolve(stream);
      });
    });
  }

  #channelOf(channel: ClientChannel): HostChannel {
    return {
      input: channel,
      output: channel,
      errors: channel.stderr,
      closed: this.#closing(channel),
      close: () => {
        channel.end();
        channel.close();
      },
    };
  }

  /** All was read, or the connection is gone: then ssh2 may never close a channel whose output nobody reads. */
  #closing(channel: ClientChannel): Promise<void> {
    return new Promise((resolve) => {
      const forget = this.onLost(() => setImmediate(resolve));
      channel.once('close', () => {
        forget();
        if (channel.stderr.readableEnded) resolve();
        else channel.stderr.once('end', resolve);
      });
    });
  }

  close(): void {
    this.retire();
    this.#client.end();
    // A peer that is gone would keep a socket that was only ended, and with it this process.
    if (this.#socket instanceof Socket) this.#socket.destroySoon();
    else this.#socket.end();
  }
}

/** Connects by ssh2. The host's key is judged before the log-in, so a wrong host never sees a credential. */
export function libraryTransport(credentials: CredentialSources): Connect {
  return async (host, { times, via, signal }) => {
    const [methods, check] = await Promise.all([methodsOf(host, credentials), hostKeyCheck(host)]);
    signal.throwIfAborted();
    const socket = await streamTo(host, via);
    signal.throwIfAborted();
    return new Promise((resolve, reject) =>
      logIn({ host, times, methods, check, socket, signal, resolve, reject }),
    );
  };
}

/** Shows the key by ssh2. */
export const showKeyByLibrary: ShowKey = async (host, options) =>
  keyShownOver(await streamTo(host, options.via), host, options);

const streamTo = async (host: HostAddress, via: Connection | undefined): Promise<Duplex> =>
  via instanceof LibraryConnection ? via.forward(host) : socketTo(host);

/** Without TCP_NODELAY each exec waits for a delayed ACK: 88 ms instead of 2 ms. */
const socketTo = ({ address, port = 22 }: HostAddress): Socket =>
  gatherWrites(connectSocket({ host: address, port, noDelay: true }));

type LogIn = {
  readonly host: HostAddress;
  readonly times: ConnectionTimes;
  readonly methods: readonly Method[];
  readonly check: HostKeyCheck;
  readonly socket: Duplex;
  readonly signal: AbortSignal;
  readonly resolve: (connection: Connection) => void;
  readonly reject: (error: unknown) => void;
};

function logIn({ host, times, methods, check, socket, signal, resolve, reject }: LogIn): void {
  const client = new Client();
  let refused: EdgeError | undefined;
  const troubles: string[] = [];
  const abort = () => fail(signal.reason);
  const fail = (error: unknown) => {
    signal.removeEventListener('abort', abort);
    reject(error);
    client.destroy();
    socket.destroy();
  };
  const onError = (error: SshError) => {
    // The methods after it are tried all the same.
    if (error.level === 'agent') troubles.push(`(${error.message})`);
    else fail(refused ?? asConnectError(host, error, [triedOf(methods), ...troubles].join(' ')));
  };
  signal.addEventListener('abort', abort);
  client.on('error', onError);
  client.on('close', () =>
    fail(refused ?? unreachable(host, 'the host closed the connection during the log-in')),
  );
  client.once('ready', () => {
    signal.removeEventListener('abort', abort);
    const connection = new LibraryConnection(host, client, socket);
    client.off('error', onError);
    resolve(connection);
  });
  client.connect({
    sock: socket,
    username: host.user ?? '',
    // Only what is configured, in this order: no round trip to ask which methods there are.
    authHandler: methods.map(({ method }) => method),
    hostVerifier: (shown: Buffer) => {
      refused = check.verify(shown);
      return refused === undefined;
    },
    algorithms: { serverHostKey: check.algorithms },
    readyTimeout: times.connectMs,
    keepaliveInterval: times.keepaliveMs,
    keepaliveCountMax: times.keepaliveCount,
  });
  spareWork(client);
}

type SshError = Error & { readonly level?: string; readonly code?: string | number };

function asConnectError(host: HostAddress, error: SshError, tried: string): EdgeError {
  if (error.level === 'client-authentication' || TOO_MANY.test(error.message))
    return hostError('host_auth_refused', host, ` refused ${tried}`, { cause: error });
  if (error.level === 'client-timeout') return unreachable(host, 'no log-in within the deadline', error);
  return unreachable(host, error.message, error);
}

const triedOf = (methods: readonly Method[]): string => methods.map(({ what }) => what).join(', ');

/** How a host ends the log-in when an agent holds more keys than it lets one try. */
const TOO_MANY = /Too many authentication failures/i;
