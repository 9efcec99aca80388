import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Cluster } from './cluster.ts';
import { type FaultState, type Faults, faultsOf } from './faults.ts';
import { icontrol } from './icontrol.ts';
import { type MemberSettings, sessionOf, stateOf } from './member.ts';
import { type MonitorSettings, startMonitor } from './monitor.ts';
import { newPool, type Pool } from './pool.ts';
import type { VirtualSettings } from './proxy.ts';
import { newSaved } from './saved.ts';
import { type LabUser, Tokens } from './tokens.ts';

export type PoolSettings = {
  /** Full path: `/Common/web`, with or without folders between. */
  readonly name: string;
  readonly members: readonly MemberSettings[];
  /** Without one, members are `unchecked` and get traffic whatever their health. */
  readonly monitor?: MonitorSettings;
  /** Above 0, the priority groups of the members count. */
  readonly minActiveMembers?: number;
  readonly virtual?: VirtualSettings;
};

export type UnitSettings = {
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
  readonly ratio: number;
  readonly priorityGroup: number;
  readonly connections: number;
  readonly requests: number;
};

/** One unit's control plane: its REST interface, its configuration, its monitors and its tokens. */
export type LabUnit = {
  /** Of the REST interface. */
  readonly url: string;
  members(pool: string): readonly MemberSeen[];
  /** Makes the monitor of every pool look now; resolves when it has. */
  lookNow(): Promise<void>;
  /** Tokens that were issued since the start, and those of a user that live. */
  tokens(user: string): { readonly issued: number; readonly live: number };
  /** Requests to the REST interface since the start. */
  calls(): number;
  /** How often its configuration was saved since the start. */
  saves(): number;
  readonly faults: Faults;
  close(): Promise<void>;
};

export type Pools = ReadonlyMap<string, Pool>;

export function newPools(settings: readonly PoolSettings[]): Pools {
  return new Map(
    settings.map((pool) => [pool.name, newPool({ ...pool, monitored: pool.monitor !== undefined })]),
  );
}

/** Resolves after the first look of every monitor, so that members which answer are up. */
export async function startUnit(
  settings: UnitSettings,
  {
    pools,
    cluster,
    faults,
  }: { readonly pools: Pools; readonly cluster: Cluster; readonly faults: FaultState },
): Promise<LabUnit> {
  const tokens = new Tokens(settings.users, settings.now ?? Date.now);
  const saved = newSaved(pools);
  const device = { pools, tokens, faults, cluster, saved, calls: 0 };
  const monitors = settings.pools.flatMap(({ name, monitor }) =>
    monitor ? [startMonitor(required(pools, name), monitor)] : [],
  );
  const lookNow = async (): Promise<void> => {
    await Promise.all(monitors.map((monitor) => monitor.look()));
  };
  await lookNow();
  const management = await startManagement(settings, icontrol(device));
  return {
    url: management.url,
    members: (name) => required(pools, name).members.map(seen),
    lookNow,
    tokens: (user) => ({ issued: tokens.issued, live: tokens.live(user) }),
    calls: () => device.calls,
    saves: saved.times,
    faults: faultsOf({ faults, tokens, pools, saved, changed: () => cluster.changed() }),
    close: async () => {
      for (const monitor of monitors) monitor.close();
      await management.close();
    },
  };
}

const seen = (member: Pool['members'][number]): MemberSeen => ({
  name: member.name,
  session: sessionOf(member),
  state: stateOf(member),
  ratio: member.ratio,
  priorityGroup: member.priorityGroup,
  connections: member.connections,
  requests: member.requests,
});

export function required<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name);
  if (found === undefined) throw new Error(`the lab has no pool ${name}`);
  return found;
}

type Listening = { readonly url: string; close(): Promise<void> };

function startManagement(settings: UnitSettings, handler: ReturnType<typeof icontrol>): Promise<Listening> {
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
