import { EdgeError } from '../../domain/errors.ts';
import type { HostAddress } from '../../ports/hosts.ts';
import { hostError, place } from './host-error.ts';
import { ConnectionPool, type PoolOptions, type Route } from './pool.ts';
import { readSshConfig } from './ssh-config.ts';

/** Hosts that are reached over one connection to a jump host. Forwarded connections are no sessions: MaxSessions lets them be. */
const HOSTS_PER_CONNECTION = 64;

/**
 * The connections to jump hosts, shared by all hosts behind them. There is no limit over all: the hosts behind have one, so
 * each jump host has a connection for every 64 of them.
 */
export class JumpHosts {
  readonly #pool: ConnectionPool;

  constructor(options: Omit<PoolOptions, 'route' | 'maxConnections' | 'maxChannels'>) {
    const limits = { maxConnections: Number.POSITIVE_INFINITY, maxChannels: HOSTS_PER_CONNECTION };
    this.#pool = new ConnectionPool({ ...options, ...limits, route: this.route });
  }

  /** `ssh` reads its configuration by itself; for the library it is read here. Errors name the host as well. */
  readonly route = async (asked: HostAddress, signal: AbortSignal): Promise<Route> => {
    const host = asked.transport === 'openssh' ? asked : await readSshConfig(asked);
    // Of what was asked: what the configuration says of this host holds for no other.
    const jump = jumpOf({ ...asked, ...(host.jump && { jump: host.jump }) });
    if (!jump) return { host };
    try {
      return { host, via: await this.#pool.hold(jump, signal) };
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error;
      const { code, hint } = error.body;
      const what = `${place(host)} is reached through another host: ${error.message}`;
      throw new EdgeError(code, what, { hint, cause: error, where: { target: host.name } });
    }
  };

  close(): void {
    this.#pool.close();
  }
}

/** How many jump hosts it is to the host at the end: no connection waits for itself, even where jump hosts go in a circle. */
type Hop = HostAddress & { readonly depth?: number };
const MAX_DEPTH = 8;

/** The last jump host on the way, itself reached through those before it. A password is for the host at the end only. */
export function jumpOf(host: Hop): Hop | undefined {
  const { password: _, port: __, jump = [], depth = 0, ...rest } = host;
  const last = jump.at(-1);
  if (!last) return undefined;
  if (depth === MAX_DEPTH)
    throw hostError(
      'host_unreachable',
      host,
      `: there are more than ${MAX_DEPTH} jump hosts on the way to it`,
    );
  const user = host.user === undefined ? {} : { user: host.user };
  const before = jump.slice(0, -1).map((hop) => ({ ...user, ...hop }));
  return {
    ...rest,
    ...last,
    name: 'jump host',
    depth: depth + 1,
    ...(before.length > 0 && { jump: before }),
  };
}
