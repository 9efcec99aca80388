import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createNginxBalancer, type NginxConfig } from '../../src/adapters/nginx/load-balancer.ts';
import { createSshHosts } from '../../src/adapters/ssh/ssh-hosts.ts';
import { together } from '../../src/adapters/together/load-balancer.ts';
import type { LoadBalancer } from '../../src/ports/load-balancer.ts';
import type { BalancerWorld } from '../contracts/load-balancer.ts';
import { realClock } from './clock.ts';
import { type MemberServer, startMemberServer } from './member-server.ts';
import { type Nginx, startNginx } from './nginx.ts';
import { occupy } from './occupy.ts';
import { type SshdFleet, startSshdFleet } from './sshd.ts';

export const POOL = 'web';

export type NginxWorld = BalancerWorld & {
  readonly nginxes: readonly [Nginx, ...Nginx[]];
  readonly servers: readonly MemberServer[];
  readonly fleet: SshdFleet;
  readonly memberOf: (server: MemberServer) => string;
  /** One more adapter for the same device, as another process of Edge would have. */
  readonly connect: (config?: Partial<NginxConfig>) => LoadBalancer;
};

export type NginxWorldOptions = {
  readonly nginxPath: string;
  readonly sshdPath: string;
  readonly network: string;
  readonly hosts?: number;
  readonly shell?: 'bash' | 'busybox';
  /** The file with the upstreams, made of the members. */
  readonly upstreams?: (members: readonly string[]) => string;
  /** nginx belongs to the account that logins become by sudo. */
  readonly throughSudo?: boolean;
};

/** Real nginx on real sshd hosts, all with the same three servers in the upstream `web`. */
export async function openNginxWorld(options: NginxWorldOptions): Promise<NginxWorld> {
  const { sshdPath, network, hosts: count = 1, shell } = options;
  const ends = new AsyncDisposableStack();
  const servers = await Promise.all([1, 2, 3].map((n) => startMemberServer(`web-${n}`)));
  ends.defer(async () => void (await Promise.all(servers.map((server) => server.kill()))));
  const fleet = await startSshdFleet({ sshdPath, network, count, ...(shell && { shell }) });
  ends.defer(fleet.stop);
  const memberOf = ({ port }: MemberServer) => `127.0.0.1:${port}`;
  const members = servers.map(memberOf);
  const upstreams = (options.upstreams ?? plainUpstreams)(members);
  const runAs = options.throughSudo ? fleet.sudoUser : undefined;
  const account = runAs === undefined ? fleet.account : await accountOf(runAs);
  const nginxes: Nginx[] = [];
  for (const host of fleet.hosts) {
    const nginx = await startNginx(host, {
      account,
      path: options.nginxPath,
      upstreams,
    });
    ends.defer(nginx.stop);
    nginxes.push(nginx);
  }
  const [first, ...others] = nginxes;
  assert.ok(first);
  const retry = { firstMs: 50, factor: 2, maxMs: 200, giveUpAfterMs: 300 };
  const hosts = createSshHosts({ clock: realClock, random: Math.random, reconnectForMs: 500, retry });
  ends.defer(async () => hosts.close());
  const connect = (config: Partial<NginxConfig> = {}): LoadBalancer =>
    together(
      fleet.hosts.map(({ address, port, user, identityFile, fingerprint }, index) => {
        const nginx = nginxes[index] ?? first;
        const host = { address, hostKey: fingerprint };
        const ssh = { user, port, identityFile };
        const own = { ...nginx.config, ...(runAs !== undefined && { runAs }) };
        const whole: NginxConfig = { kind: 'nginx', hosts: [host], ssh, ...own, ...config };
        return { name: address, balancer: createNginxBalancer({ config: whole, host, hosts }) };
      }),
    );
  const serverOf = (member: string): MemberServer => {
    const server = servers.find((each) => memberOf(each) === member);
    assert.ok(server, member);
    return server;
  };
  return {
    ...{ servers, fleet, members, memberOf, connect, pool: POOL },
    nginxes: [first, ...others],
    places: servers.map(({ port }) => ({ address: '127.0.0.1', port })),
    lacks: ['health', 'drained'],
    balancer: connect(),
    occupy: (member) => occupy(first.url, serverOf(member)),
    setHealthy: async (member, healthy) => {
      serverOf(member).healthy = healthy;
    },
    vanish: async () => void (await Promise.all(fleet.hosts.map((host) => host.stop()))),
    dispose: () => ends.disposeAsync(),
  };
}

async function accountOf(user: string): Promise<{ uid: number; gid: number }> {
  const id = async (flag: string) => Number((await promisify(execFile)('id', [flag, user])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

const plainUpstreams = (members: readonly string[]): string =>
  `upstream ${POOL} {\n${members.map((member) => `  server ${member};\n`).join('')}}\n`;
