import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type Faults, faultsOf, newFaultState } from './faults.ts';
import { icontrol } from './icontrol.ts';
import { type MemberSettings, sessionOf, stateOf } from './member.ts';
import { type MonitorSettings, startMonitor } from './monitor.ts';
import { newPool, type Pool, type PoolCounters } from './pool.ts';
import { startVirtual, type VirtualSettings } from './proxy.ts';
import { type LabUser, Tokens } from './tokens.ts';

export type PoolSettings = {
  /** Full path: `/Common/web`, with or without folders between. */
  readonly name: string;
  readonly members: readonly MemberSettings[];
  /** Without one, members are `unchecked` and get traffic whatever their health. */
  readonly monitor?: MonitorSettings;
  readonly virtual?: VirtualSettings;
};

export type LabBalancerSettings = {
  readonly users: readonly LabUser[];
  readonly pools: readonly PoolSettings[];
  /** Where the REST interface listens; a free port of 127.0.0.1 if it is left out. */
  readonly management?: { readonly host?: string; readonly port?: number };
  /** PEM texts; with them the REST interface speaks HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Ms since the epoch, for the age of tokens. */
  readonly now?: () => number;
};

/** A member as the lab's own eye sees it, past the REST interface. */
export type MemberSeen = {
  readonly name: string;
  readonly session: string;
  readonly state: string;
  readonly connections: number;
  readonly requests: number;
};

export type LabBalancer = {
  /** Of the REST interface. */
  readonly url: string;
  /** Where clients reach a pool. */
  virtualUrl(pool: string): string;
  members(pool: string): readonly MemberSeen[];
  counters(pool: string): Readonly<PoolCounters>;
  /** Makes the monitor of every pool look now; resolves when it has. */
  lookNow(): Promise<void>;
  /** Tokens that were issued since the start, and those of a user that live. */
  tokens(user: string): { readonly issued: number; readonly live: number };
  /** Requests to the REST interface since the start. */
  calls(): number;
  readonly faults: Faults;
  close(): Promise<void>;
};

/**
 * A double of an F5 BIG-IP: it really carries HTTP traffic to the members of its pools, watches their health, and is
 * driven through the subset of iControl REST that `icontrol.ts` lists, errors included. Resolves after the first look of
 * every monitor, so that members which answer are up.
 *
 * What it is not: no TCP or TLS virtual servers, no upgrades (WebSocket), no iRules, no priority groups, ratios or slow
 * ramp, no node-level state, no second unit, no configuration sync. Its connections are requests in flight (or pinned
 * client connections), where a device also counts idle ones that it keeps for reuse. It has the timing of a small process,
 * not of a busy control plane: what passes here has still to pass on the customer's device.
 */
export async function startLabBalancer(settings: LabBalancerSettings): Promise<LabBalancer> {
  const pools = new Map(
    settings.pools.map((pool) => [pool.name, newPool({ ...pool, monitored: pool.monitor !== undefined })]),
  );
  const tokens = new Tokens(settings.users, settings.now ?? Date.now);
  const faults = newFaultState();
  const device = { pools, tokens, faults, calls: 0 };
  const pool = (name: string): Pool => required(pools, name);
  const monitors = settings.pools.flatMap(({ name, monitor }) =>
    monitor ? [startMonitor(pool(name), monitor)] : [],
  );
  const lookNow = async (): Promise<void> => {
    await Promise.all(monitors.map((monitor) => monitor.look()));
  };
  await lookNow();
  const virtuals = new Map(
    await Promise.all(
      settings.pools.map(async (p) => [p.name, await startVirtual(pool(p.name), p.virtual ?? {})] as const),
    ),
  );
  const management = await startManagement(settings, icontrol(device));
  return {
    url: management.url,
    virtualUrl: (name) => required(virtuals, name).url,
    members: (name) => pool(name).members.map(seen),
    counters: (name) => pool(name).counters,
    lookNow,
    tokens: (user) => ({ issued: tokens.issued, live: tokens.live(user) }),
    calls: () => device.calls,
    faults: faultsOf(faults, tokens, pools),
    close: async () => {
      for (const monitor of monitors) monitor.close();
      await Promise.all([management.close(), ...[...virtuals.values()].map((virtual) => virtual.close())]);
    },
  };
}

const seen = (member: Pool['members'][number]): MemberSeen => ({
  name: member.name,
  session: sessionOf(member),
  state: stateOf(member),
  connections: member.connections,
  requests: member.requests,
});

function required<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name);
  if (found === undefined) throw new Error(`the lab has no pool ${name}`);
  return found;
}

type Listening = { readonly url: string; close(): Promise<void> };

function startManagement(
  settings: LabBalancerSettings,
  handler: ReturnType<typeof icontrol>,
): Promise<Listening> {
  const server = settings.tls ? createTlsServer(settings.tls, handler) : createServer(handler);
  const { host = '127.0.0.1', port = 0 } = settings.management ?? {};
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address ? address.port : port;
      resolve({
        url: `${settings.tls ? 'https' : 'http'}://${host}:${bound}`,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}
