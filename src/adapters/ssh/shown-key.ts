import type { Duplex } from 'node:stream';
import { Client } from 'ssh2';
import type { EdgeError } from '../../domain/errors.ts';
import type { ShownKey } from '../../domain/host-key.ts';
import type { LookedAtKey, UnprovenHost } from '../../ports/host-keys.ts';
import type { HostAddress } from '../../ports/hosts.ts';
import { hostError } from './host-error.ts';
import { type HostKeyCheck, hostKeyCheck } from './host-key.ts';
import { fingerprintOf } from './known-hosts.ts';
import type { Route } from './pool.ts';
import { type ConnectionTimes, type ConnectOptions, unreachable } from './transport.ts';

/** A key that a host has shown, and why it is not taken for its own. */
export type Shown = ShownKey & { readonly refused: EdgeError | undefined };

/** By one of the transports: connects, sees the key, and hangs up. */
export type ShowKey = (host: HostAddress, options: ConnectOptions) => Promise<Shown>;

type Looking = {
  readonly show: ShowKey;
  readonly route: (host: HostAddress, signal: AbortSignal) => Promise<Route>;
  readonly times: ConnectionTimes;
};

/** Fits no key: of a host that nobody knows yet. */
const NONE = { fingerprint: '' } as const;

/** `HostKeys.shownKey`, the same for both transports. */
export async function lookAtKey({ show, route, times }: Looking, asked: UnprovenHost): Promise<LookedAtKey> {
  const signal = AbortSignal.timeout(2 * times.connectMs);
  const { host, via } = await route({ hostKey: NONE, ...asked }, signal);
  try {
    const { type, fingerprint, refused } = await show(host, { times, via: via?.connection, signal });
    const nobody = () =>
      hostError('host_key_unknown', host, ` showed the key ${fingerprint}, which nobody knows`);
    const why = asked.hostKey === undefined ? nobody() : refused;
    return { type, fingerprint, refused: why?.body ?? null };
  } catch (error) {
    throw signal.aborted ? unreachable(host, 'no key within the deadline', error) : error;
  } finally {
    via?.release();
  }
}

/** Over this socket by ssh2, which is told that it is the wrong key as soon as it has seen one. */
export async function keyShownOver(
  socket: Duplex,
  host: HostAddress,
  { times, signal }: Pick<ConnectOptions, 'times' | 'signal'>,
): Promise<Shown> {
  const check = await checkOf(host);
  return new Promise<Shown>((resolve, reject) => {
    const client = new Client();
    let shown: Shown | undefined;
    const end = (error: Error) => {
      signal.removeEventListener('abort', abort);
      if (shown) resolve(shown);
      else reject(unreachable(host, error.message, error));
      client.destroy();
      socket.destroy();
    };
    const abort = () => end(new Error('no key within the deadline'));
    signal.addEventListener('abort', abort);
    client.on('error', end);
    client.on('close', () => end(new Error('the host closed the connection before it had shown a key')));
    client.connect({
      sock: socket,
      username: host.user ?? '',
      authHandler: [],
      hostVerifier: (key: Buffer) => {
        shown = { type: typeOf(key), fingerprint: fingerprintOf(key), refused: check.verify(key) };
        return false;
      },
      algorithms: { serverHostKey: check.algorithms },
      readyTimeout: times.connectMs,
    });
  });
}

/** A file of keys that cannot be read knows none; the host is looked at all the same. */
async function checkOf(host: HostAddress): Promise<HostKeyCheck> {
  try {
    return await hostKeyCheck(host);
  } catch (thrown) {
    const { algorithms } = await hostKeyCheck({ ...host, hostKey: NONE });
    return { algorithms, verify: () => thrown as EdgeError };
  }
}

/** The wire form of a key begins with the name of its type, behind its length (RFC 4253, section 6.6). */
function typeOf(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}
