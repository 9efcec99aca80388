import { type Load, type LoadReport, startLoad } from '../../src/lab/load.ts';
import type { LoadBalancer } from '../../src/ports/load-balancer.ts';
import type { MemberServer } from './member-server.ts';
import { until } from './until.ts';

export type Rolling = {
  readonly balancer: LoadBalancer;
  readonly pool: string;
  readonly url: string;
  readonly servers: readonly MemberServer[];
  readonly memberOf: (server: MemberServer) => string;
  /** `false`: servers are cut off without a word to the balancer. */
  readonly drain: boolean;
};

const signal = new AbortController().signal;

/** Replaces v1 by v2 server by server, under load, and reports what the clients met. */
export async function roll(rolling: Rolling): Promise<LoadReport> {
  const { servers, url } = rolling;
  const load = startLoad({ url, ratePerS: 200, slow: { every: 10, path: '/slow?ms=100' } });
  await answersFrom(load, 'v1');
  for (const server of servers) await replace(server, rolling);
  await answersFrom(load, 'v2');
  return load.stop();
}

async function answersFrom(load: Load, version: string): Promise<void> {
  const before = load.report().byVersion[version] ?? 0;
  await until(`answers of ${version}`, () => (load.report().byVersion[version] ?? 0) > before + 20);
}

async function replace(server: MemberServer, { balancer, pool, memberOf, drain }: Rolling): Promise<void> {
  const member = { pool, member: memberOf(server) };
  const stateNow = async () =>
    (await balancer.members(pool, signal)).find((state) => state.member === member.member);
  const found = await stateNow();
  if (drain) {
    await balancer.disable(member, 'drained', signal);
    await until(`${server.name} has no connections`, async () => (await stateNow())?.connections === 0);
  } else {
    await until(`${server.name} is at work`, () => server.active > 0);
  }
  await server.kill();
  server.version = 'v2';
  await server.start();
  // Unknown: a balancer without a monitor.
  await until(`${server.name} is up`, async () => /up|unknown/.test((await stateNow())?.health ?? ''));
  if (drain) await balancer.restore(member, found?.asFound ?? {}, signal);
}
