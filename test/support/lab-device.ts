import assert from 'node:assert/strict';
import { createF5Balancer, type F5Options } from '../../src/adapters/f5/load-balancer.ts';
import {
  type LabBalancer,
  type LabBalancerSettings,
  startLabBalancer,
} from '../../src/lab/balancer/lab-balancer.ts';
import { type LabPair, type LabPairSettings, startLabPair } from '../../src/lab/balancer/lab-pair.ts';
import type { PoolSettings } from '../../src/lab/balancer/unit.ts';
import { createSerial, type Serial } from '../../src/lib/serial.ts';
import type { LoadBalancer } from '../../src/ports/load-balancer.ts';
import type { BalancerWorld } from '../contracts/load-balancer.ts';
import { realClock } from './clock.ts';
import { type MemberServer, startMemberServer } from './member-server.ts';
import { occupy } from './occupy.ts';

export const LAB_POOL = '/Common/web';
export const OPERATOR = { name: 'edge', password: 'lab', role: 'operator', partition: 'Common' } as const;
/** May do what a pair needs that does not sync by itself. */
export const RESOURCE_ADMIN = { ...OPERATOR, role: 'resource-admin' } as const;

type ConnectOptions = Partial<Omit<F5Options['config'], 'password'>> & {
  readonly password?: string;
  readonly timeoutMs?: number;
  readonly syncLooks?: number;
  readonly queue?: Serial;
  /** Of a pair, only the first unit is named. */
  readonly single?: boolean;
};

type Connected = BalancerWorld & {
  readonly servers: readonly MemberServer[];
  /** One more adapter for the same device, as another process of Edge would have. */
  connect(options?: ConnectOptions): LoadBalancer;
};

export type LabDevice = Connected & { readonly lab: LabBalancer };
export type LabPairDevice = Connected & { readonly lab: LabPair };

/** A lab balancer with three members in `/Common/web`, and the F5 adapter on it with waits cut short. */
export async function startLabDevice(settings: Partial<LabBalancerSettings> = {}): Promise<LabDevice> {
  const { servers, pool } = await startServers();
  const lab = await startLabBalancer({ users: [OPERATOR], pools: [pool], ...settings });
  return { lab, ...connected(lab, { servers, pool, urls: { url: lab.url }, vanish: () => lab.close() }) };
}

export type LabPairDeviceSettings = Partial<LabPairSettings> & {
  /** Differs from three plain members. */
  readonly pool?: Partial<PoolSettings>;
};

/** The same behind a pair of units, both named to the adapter. */
export async function startPairDevice({
  pool: differs,
  ...settings
}: LabPairDeviceSettings = {}): Promise<LabPairDevice> {
  const { servers, pool } = await startServers();
  const lab = await startLabPair({ users: [RESOURCE_ADMIN], pools: [{ ...pool, ...differs }], ...settings });
  const [{ url }, { url: peer }] = lab.units;
  const vanish = async () => {
    await lab.vanish(0);
    await lab.vanish(1);
  };
  return { lab, ...connected(lab, { servers, pool, urls: { url, peer }, vanish }) };
}

type Servers = { readonly servers: readonly MemberServer[]; readonly pool: PoolSettings };

async function startServers(): Promise<Servers> {
  const servers = await Promise.all([1, 2, 3].map((n) => startMemberServer(`web-${n}`)));
  const members = servers.map(({ name, port }, index) => ({
    name: `${name}:80`,
    address: `10.0.0.${index + 1}`,
    connect: { host: '127.0.0.1', port },
  }));
  const monitor = { path: '/health', intervalMs: 50, timeoutMs: 5_000, fall: 1 };
  return { servers, pool: { name: LAB_POOL, members, monitor } };
}

type Connecting = Servers & {
  readonly urls: { readonly url: string; readonly peer?: string };
  readonly vanish: () => Promise<void>;
};

function connected(
  lab: Pick<LabBalancer, 'virtualUrl' | 'close'>,
  { servers, pool, urls, vanish }: Connecting,
): Connected {
  const opened: LoadBalancer[] = [];
  const connect: Connected['connect'] = ({
    password = OPERATOR.password,
    timeoutMs = 5_000,
    syncLooks = 200,
    single = false,
    queue = createSerial(),
    ...config
  } = {}) => {
    const balancer = createF5Balancer({
      config: {
        kind: 'f5',
        ...(single ? { url: urls.url } : urls),
        username: OPERATOR.name,
        password: { source: 'env', name: 'UNUSED' },
        partition: 'Common',
        loginProvider: 'tmos',
        tls: 'none',
        ...config,
      },
      password: async () => password,
      clock: realClock,
      queue,
      timeoutMs,
      backoffMs: [5, 5, 5],
      sync: { everyMs: 5, looks: syncLooks },
    });
    opened.push(balancer);
    return balancer;
  };
  const serverOf = (member: string): MemberServer => {
    const server = servers.find(({ name }) => `${name}:80` === member);
    assert.ok(server, member);
    return server;
  };
  return {
    servers,
    connect,
    balancer: connect(),
    pool: LAB_POOL,
    members: pool.members.map(({ name }) => name),
    places: pool.members.map(({ address }) => ({ ...(address !== undefined && { address }), port: 80 })),
    occupy: (member) => occupy(lab.virtualUrl(LAB_POOL), serverOf(member)),
    setHealthy: async (member, healthy) => {
      serverOf(member).healthy = healthy;
    },
    vanish,
    dispose: async () => {
      await Promise.all(opened.map((balancer) => balancer.close()));
      await lab.close();
      await Promise.all(servers.map((server) => server.kill()));
    },
  };
}
