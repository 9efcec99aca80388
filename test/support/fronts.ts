import assert from 'node:assert/strict';
import { requireService } from '../../scripts/services.ts';
import { startLabBalancer } from '../../src/lab/balancer/lab-balancer.ts';
import { startHaproxy } from './haproxy.ts';
import type { MemberServer } from './member-server.ts';
import { startNginx } from './nginx.ts';
import { ask, serversOf } from './observer.ts';
import type { SshdFleet } from './sshd.ts';

/** The pools of a front: every server is in both, and clients come through `web`. */
export const POOLS = ['web', 'api'] as const;
export type PoolName = (typeof POOLS)[number];

export const FRONTS = ['HAProxy', 'nginx', 'F5'] as const;
export type FrontKind = (typeof FRONTS)[number];

/** A real HAProxy or nginx, or the double of an F5, before the servers of a test, with the hands and eyes of its people. */
export type Front = {
  readonly kind: FrontKind;
  /** What stands behind it. */
  readonly servers: readonly MemberServer[];
  /** How Edge is told of it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Clients of the pool `web`. */
  readonly url: string;
  readonly memberOf: (server: MemberServer) => string;
  /** The pool as Edge is told of it. */
  readonly poolOf: (pool: PoolName) => string;
  /** Servers that people or Edge have taken out of a pool, in the order of the servers. */
  readonly out: (pool?: PoolName) => Promise<readonly string[]>;
  /** Whether every server takes requests in every pool, as the front itself sees it. */
  readonly isWhole: () => Promise<boolean>;
  /** All that is set of a server, as the front itself says it. */
  readonly settingOf: (server: MemberServer) => Promise<string>;
  /** Somebody takes a server out at the device, puts it back, or gives it another weight and (F5) priority group; in all pools, or in those named. */
  readonly byHand: (
    server: MemberServer,
    to: 'out' | 'in' | 'heavy',
    pools?: readonly PoolName[],
  ) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type FrontSettings = { readonly servers: readonly MemberServer[]; readonly fleet: SshdFleet };

export const LAB_PASSWORD = 'lab';

const haproxy = requireService('haproxy');
const nginx = requireService('nginx');

/** Why a front cannot be had here, if so. */
export const MISSING: Readonly<Record<FrontKind, string | undefined>> = {
  HAProxy: haproxy.skip,
  nginx: nginx.skip,
  F5: undefined,
};

export function startFront(kind: FrontKind, settings: FrontSettings): Promise<Front> {
  switch (kind) {
    case 'HAProxy':
      return haproxyFront(settings);
    case 'nginx':
      return nginxFront(settings);
    case 'F5':
      return f5Front(settings);
    default:
      return kind satisfies never;
  }
}

const namesOf = (
  servers: readonly MemberServer[],
  isOut: (server: MemberServer) => boolean,
): readonly string[] => servers.filter(isOut).map(({ name }) => name);

async function haproxyFront({ servers }: FrontSettings): Promise<Front> {
  const backend = servers.map(({ name, port }) => ({ name, address: '127.0.0.1', port }));
  const backends = Object.fromEntries(POOLS.map((pool) => [pool, backend]));
  const { socket, url, stop } = await startHaproxy({ path: haproxy.path ?? '', backends });
  const words = { out: 'state maint', in: 'state ready', heavy: 'weight 30' } as const;
  return {
    ...{ kind: 'HAProxy', servers, config: { kind: 'haproxy', socket }, url: url('web'), stop },
    memberOf: ({ name }) => name,
    poolOf: (pool) => pool,
    out: async (pool = 'web') => {
      const seen = await serversOf(socket, pool);
      return namesOf(servers, ({ name }) => (seen.get(name)?.adminState ?? 0) !== 0);
    },
    isWhole: async () => {
      const pools = await Promise.all(POOLS.map((pool) => serversOf(socket, pool)));
      return pools.every((seen) => servers.every(({ name }) => seen.get(name)?.isServing));
    },
    settingOf: async ({ name }) => {
      const { adminState, weight } = (await serversOf(socket, 'web')).get(name) ?? {};
      return JSON.stringify({ adminState, weight });
    },
    byHand: async ({ name }, to, pools = POOLS) => {
      for (const pool of pools) await ask(socket, `set server ${pool}/${name} ${words[to]}`);
    },
  };
}

async function nginxFront({ servers, fleet }: FrontSettings): Promise<Front> {
  const [host] = fleet.hosts;
  assert.ok(host);
  const memberOf = ({ port }: MemberServer) => `127.0.0.1:${port}`;
  const lines = servers.map((server) => `  server ${memberOf(server)} weight=2 max_fails=0;\n`).join('');
  const started = await startNginx(host, {
    path: nginx.path ?? '',
    upstreams: POOLS.map((pool) => `upstream ${pool} {\n${lines}}\n`).join(''),
    account: fleet.account,
  });
  const { address, port, user, identityFile, fingerprint: hostKey } = host;
  const ssh = { user, port, identityFile };
  const lineOf = async (server: MemberServer, pool: PoolName): Promise<string> => {
    const [, block = ''] = (await started.read()).split(`upstream ${pool} {`);
    return block.split('\n').find((line) => line.includes(`server ${memberOf(server)}`)) ?? '';
  };
  const words = { out: ' down;', in: ';', heavy: ' backup;' } as const;
  return {
    ...{ kind: 'nginx', servers, url: started.url, stop: started.stop, memberOf },
    config: { kind: 'nginx', hosts: [{ address, hostKey }], ssh, ...started.config },
    poolOf: (pool) => pool,
    out: async (pool = 'web') => {
      const all = await Promise.all(servers.map((server) => lineOf(server, pool)));
      return namesOf(servers, (server) => / down;/.test(all[servers.indexOf(server)] ?? ''));
    },
    isWhole: async () => !/ down;/.test(await started.read()),
    settingOf: (server) => lineOf(server, 'web'),
    byHand: async (server, to, pools = POOLS) => {
      const line = new RegExp(`(server ${memberOf(server)} weight=2 max_fails=0)[^;]*;`);
      const before = await started.read();
      const blocks = before.split(/(?=upstream )/);
      const isMeant = (block: string) => pools.some((pool) => block.startsWith(`upstream ${pool} `));
      const text = blocks.map((block) => (isMeant(block) ? block.replace(line, `$1${words[to]}`) : block));
      if (text.join('') === before) return;
      await started.edit(text.join(''));
      await started.reload();
    },
  };
}

async function f5Front({ servers }: FrontSettings): Promise<Front> {
  const memberOf = ({ name }: MemberServer) => `${name}:80`;
  const members = servers.map((server) => ({
    name: memberOf(server),
    connect: { host: '127.0.0.1', port: server.port },
  }));
  const monitor = { path: '/health', intervalMs: 100, timeoutMs: 5_000, fall: 1 };
  const lab = await startLabBalancer({
    users: [{ name: 'edge', password: LAB_PASSWORD, role: 'manager', partition: 'Common' }],
    pools: POOLS.map((pool) => ({ name: `/Common/${pool}`, members, monitor, minActiveMembers: 1 })),
  });
  const words = {
    out: { disabled: true },
    in: { disabled: false, forcedDown: false, ratio: 1, priorityGroup: 0 },
    heavy: { ratio: 30, priorityGroup: 10 },
  } as const;
  const seen = (server: MemberServer, pool: PoolName) =>
    lab.members(`/Common/${pool}`).find(({ name }) => name === memberOf(server));
  return {
    ...{ kind: 'F5', servers, url: lab.virtualUrl('/Common/web'), stop: lab.close, memberOf },
    config: {
      ...{ kind: 'f5', url: lab.url, username: 'edge', tls: 'none' },
      password: { source: 'env', name: 'LAB_PASSWORD' },
    },
    poolOf: (pool) => `/Common/${pool}`,
    out: async (pool = 'web') =>
      namesOf(servers, (server) => {
        const { session, state } = seen(server, pool) ?? {};
        return session === 'user-disabled' || state === 'user-down';
      }),
    isWhole: async () =>
      POOLS.every((pool) =>
        servers.every((server) => {
          const { session, state } = seen(server, pool) ?? {};
          return session === 'monitor-enabled' && state === 'up';
        }),
      ),
    settingOf: async (server) => {
      const { session, state, ratio, priorityGroup } = seen(server, 'web') ?? {};
      return JSON.stringify({ session, state, ratio, priorityGroup });
    },
    byHand: async (server, to, pools = POOLS) => {
      for (const pool of pools) lab.faults.editByHand(`/Common/${pool}`, memberOf(server), words[to]);
    },
  };
}
