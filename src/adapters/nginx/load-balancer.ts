import {
  type AsFound,
  type BalancerConfig,
  type MemberState,
  type NginxHost,
  placeOf,
} from '../../domain/balancer.ts';
import { EdgeError } from '../../domain/errors.ts';
import { sha256 } from '../../lib/hash.ts';
import { hostAndPort } from '../../lib/host-port.ts';
import { createSerial, type Serial } from '../../lib/serial.ts';
import { SharedReads } from '../../lib/shared-reads.ts';
import type { HostAddress, Hosts } from '../../ports/hosts.ts';
import type { LoadBalancer, MayWrite, PoolMember } from '../../ports/load-balancer.ts';
import type { Edit } from './host-script.ts';
import { connectionsTo, type Look } from './look.ts';
import { look, type NginxHostOptions, write } from './nginx-host.ts';
import { type ServerLine, upstreamsNamed, withDown } from './upstream-file.ts';

export type NginxConfig = Extract<BalancerConfig, { kind: 'nginx' }>;

export type NginxOptions = {
  readonly config: NginxConfig;
  /** The one of the config's hosts that this is. */
  readonly host: NginxHost;
  readonly hosts: Pick<Hosts, 'run' | 'forget'>;
};

/** Somebody else changes the file between the look and the write: looked at again so often. */
const TRIES = 5;

/**
 * The upstreams of one open source nginx, in a file on its host (wire facts: INTEGRATIONS.md 2.3). A pool is an upstream, a
 * member one of its servers, named by its address as the file has it. nginx knows one way out of service, `down`: drained or
 * offline, it reads as offline. It has no monitor that could be asked, so health is unknown.
 */
export function createNginxBalancer({ config, host, hosts }: NginxOptions): LoadBalancer {
  const { file, pidFile, test, reload, runAs } = config;
  return new NginxBalancer({
    ...{ file, pidFile, test, reload, hosts },
    host: addressOf(config, host),
    ...(runAs !== undefined && { runAs }),
  });
}

function addressOf({ ssh }: NginxConfig, { address, hostKey }: NginxHost): HostAddress {
  const { user, port, identityFile, knownHosts } = ssh;
  if (hostKey === undefined && knownHosts === undefined)
    throw new EdgeError('host_key_unknown', `The nginx host ${address} has no known host key`, {
      hint: 'Give it its `hostKey`, or the balancer `ssh.knownHosts`.',
    });
  return {
    name: address,
    ...{ address, port, user, identityFile },
    hostKey: hostKey === undefined ? { knownHosts: knownHosts ?? '' } : { fingerprint: hostKey },
  };
}

class NginxBalancer implements LoadBalancer {
  readonly #options: NginxHostOptions;
  readonly #closing = new AbortController();
  readonly #write: Serial = createSerial();
  readonly #looks = new SharedReads<Look>();

  constructor(options: NginxHostOptions) {
    this.#options = options;
  }

  async members(pool: string, signal: AbortSignal): Promise<readonly MemberState[]> {
    const begin = () => look(this.#options, this.#closing.signal);
    const seen = await this.#looks.read(this.#options.file, begin, signal);
    return this.#serversOf(seen, pool).map((server) => stateOf(server, seen));
  }

  disable(
    member: PoolMember,
    to: 'drained' | 'offline',
    signal: AbortSignal,
    mayWrite?: MayWrite,
  ): Promise<MemberState> {
    const isEnough = (server: ServerLine): boolean => isOut(adminOf(server), to);
    const textOf = (server: ServerLine): string => (isEnough(server) ? server.text : withDown(server));
    return this.#set({ member, textOf, signal, mayWrite });
  }

  async restore(
    member: PoolMember,
    asFound: AsFound,
    signal: AbortSignal,
    mayWrite?: MayWrite,
  ): Promise<MemberState> {
    const text = textFrom(asFound, member);
    return this.#set({ member, textOf: () => text, signal, mayWrite });
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the balancer is closed'));
  }

  /** One writer per host; who writes looks first, edits what it saw, and looks again. */
  #set({ member, textOf, signal, mayWrite }: Change): Promise<MemberState> {
    const work = async (): Promise<MemberState> => {
      for (let left = TRIES; left > 0; left -= 1) {
        const server = this.#serverOf(await look(this.#options, signal), member);
        const text = textOf(server.line);
        if (text === server.line.text) return stateOf(server.line, server.seen);
        if ((await write(this.#options, editOf(server, text), { signal, mayWrite })) === 'done')
          return await this.#readBack(member, text, signal);
      }
      const what = `${this.#options.file} was changed by somebody else while Edge wanted to change it, ${TRIES} times`;
      throw new EdgeError('balancer_refused', what);
    };
    return this.#write(() => {
      signal.throwIfAborted();
      return work().finally(() => this.#looks.forget());
    });
  }

  async #readBack(member: PoolMember, text: string, signal: AbortSignal): Promise<MemberState> {
    const { line, seen } = this.#serverOf(await look(this.#options, signal), member);
    if (line.text === text) return stateOf(line, seen);
    throw new EdgeError(
      'balancer_refused',
      `${member.member} in ${member.pool}: nginx took the change, and somebody else has changed it again`,
    );
  }

  #serverOf(seen: Look, { pool, member }: PoolMember): Found {
    const line = this.#serversOf(seen, pool).find(({ address }) => address === member);
    if (line) return { line, seen };
    throw new EdgeError('balancer_member_unknown', `The upstream ${pool} has no server ${member}`);
  }

  #serversOf({ file }: Look, pool: string): readonly ServerLine[] {
    const [servers, ...more] = upstreamsIn(file, pool, this.#options.file);
    if (!servers)
      throw new EdgeError('balancer_member_unknown', `${this.#options.file} has no upstream ${pool}`);
    const names = servers.map(({ address }) => address);
    const twice = more.length > 0 ? pool : names.find((name, index) => names.indexOf(name) < index);
    if (twice === undefined) return servers;
    throw new EdgeError(
      'balancer_refused',
      `${this.#options.file} has ${more.length > 0 ? 'the upstream' : `in the upstream ${pool} the server`} ${twice} twice`,
      { hint: 'Edge cannot tell them apart: leave one.' },
    );
  }
}

type Change = {
  readonly member: PoolMember;
  readonly textOf: (server: ServerLine) => string;
  readonly signal: AbortSignal;
  readonly mayWrite: MayWrite | undefined;
};
type Found = { readonly line: ServerLine; readonly seen: Look };

function upstreamsIn(file: string, pool: string, name: string): readonly (readonly ServerLine[])[] {
  try {
    return upstreamsNamed(file, pool);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw new EdgeError('balancer_refused', `${name} cannot be read, ${thrown.message}`, { cause: thrown });
  }
}

function adminOf({ parameters }: ServerLine): MemberState['admin'] {
  if (parameters.includes('down')) return 'offline';
  // Newer versions have it; persistent clients still come.
  return parameters.includes('drain') ? 'drained' : 'enabled';
}

const isOut = (admin: MemberState['admin'], to: 'drained' | 'offline'): boolean =>
  admin === 'offline' || admin === to;

function stateOf(line: ServerLine, seen: Look): MemberState {
  return {
    member: line.address,
    admin: adminOf(line),
    health: 'unknown',
    connections: connectionsTo(line.address, seen),
    ...addressIn(line.address),
    asFound: { line: line.text },
  };
}

const HTTP_PORT = 80;

/** A server without a port is on that of HTTP; one on a file of the machine has no address. */
function addressIn(server: string): Pick<MemberState, 'address' | 'port'> {
  const { host, port = HTTP_PORT } = hostAndPort(server);
  return host.startsWith('unix:') ? {} : placeOf(host, port);
}

/** What was found, if it is a server of this name and nothing else: it goes into a configuration as it is. */
function textFrom({ line }: AsFound, { pool, member }: PoolMember): string {
  const text = typeof line === 'string' ? line : '';
  const [[server, ...more] = []] = upstreamsIn(`upstream x { ${text} }`, 'x', 'what was found');
  if (server?.address === member && more.length === 0 && server.text === text) return text;
  throw new EdgeError(
    'internal',
    `${member} in ${pool}: what was found there was not recorded by this adapter`,
  );
}

function editOf({ line, seen: { file } }: Found, text: string): Edit {
  const to = line.at + line.text.length;
  const after = file.slice(0, line.at) + text + file.slice(to);
  const bytes = Buffer.from(text, 'latin1');
  if (!bytes.equals(Buffer.from(bytes.toString())))
    throw new EdgeError('balancer_refused', `the server ${line.address} is not written in UTF-8`);
  return {
    before: sha256(Buffer.from(file, 'latin1')),
    after: sha256(Buffer.from(after, 'latin1')),
    from: line.at,
    to,
    text: bytes.toString(),
  };
}
