import assert from 'node:assert/strict';
import { createF5Balancer, type F5Options } from '../../src/adapters/f5/load-balancer.ts';
import {
  type LabBalancer,
  type LabBalancerSettings,
  startLabBalancer,
} from '../../src/lab/balancer/lab-balancer.ts';
import type { LoadBalancer } from '../../src/ports/load-balancer.ts';
import type { BalancerWorld } from '../contracts/load-balancer.ts';
import { realClock } from './clock.ts';
import { type MemberServer, startMemberServer } from './member-server.ts';
import { occupy } from './occupy.ts';

export const LAB_POOL = '/Common/web';
export const OPERATOR = { name: 'edge', password: 'lab', role: 'operator', partition: 'Common' } as const;

export type LabDevice = BalancerWorld & {
  readonly lab: LabBalancer;
  readonly servers: readonly MemberServer[];
  /** One more adapter for the same device, as another process of Edge would have. */
  connect(
    options?: Partial<Omit<F5Options['config'], 'password'>> & {
      readonly password?: string;
      readonly timeoutMs?: number;
    },
  ): LoadBalancer;
};

/** A lab balancer with three members in `/Common/web`, and the F5 adapter on it with waits cut short. */
export async function startLabDevice(settings: Partial<LabBalancerSettings> = {}): Promise<LabDevice> {
  const servers = await Promise.all([1, 2, 3].map((n) => startMemberServer(`web-${n}`)));
  const members = servers.map(({ name, port }) => ({
    name: `${name}:80`,
    connect: { host: '127.0.0.1', port },
  }));
  const monitor = { path: '/health', intervalMs: 50, timeoutMs: 5_000, fall: 1 };
  const lab = await startLabBalancer({
    users: [OPERATOR],
    pools: [{ name: LAB_POOL, members, monitor }],
    ...settings,
  });
  const opened: LoadBalancer[] = [];
  const connect: LabDevice['connect'] = ({
    password = OPERATOR.password,
    timeoutMs = 5_000,
    ...config
  } = {}) => {
    const balancer = createF5Balancer({
      config: {
        kind: 'f5',
        url: lab.url,
        username: OPERATOR.name,
        password: { source: 'env', name: 'UNUSED' },
        partition: 'Common',
        loginProvider: 'tmos',
        tls: 'none',
        ...config,
      },
      password: async () => password,
      clock: realClock,
      timeoutMs,
      backoffMs: [5, 5, 5],
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
    lab,
    servers,
    connect,
    balancer: connect(),
    pool: LAB_POOL,
    members: members.map(({ name }) => name),
    occupy: (member) => occupy(lab.virtualUrl(LAB_POOL), serverOf(member)),
    setHealthy: async (member, healthy) => {
      serverOf(member).healthy = healthy;
    },
    vanish: () => lab.close(),
    dispose: async () => {
      await Promise.all(opened.map((balancer) => balancer.close()));
      await lab.close();
      await Promise.all(servers.map((server) => server.kill()));
    },
  };
}
