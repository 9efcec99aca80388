import { configOf, setMember } from './member.ts';
import type { Pool } from './pool.ts';

/** A unit as another one, or it itself, sees it. */
export type UnitSeen = { readonly name: string; readonly self: boolean; readonly state: string };

/** In the words of `tmsh show cm sync-status`. */
export type SyncStatus = {
  readonly status: string;
  readonly color: 'green' | 'yellow' | 'red';
  readonly summary: string;
  readonly details: readonly string[];
};

/** What one unit knows of the others, and how its changes get there. */
export type Cluster = {
  readonly group: { readonly name: string; readonly autoSync: boolean } | undefined;
  units(): readonly UnitSeen[];
  syncStatus(): SyncStatus;
  /** A write was applied on this unit. */
  changed(): void;
  /** Begins to bring the configuration of this unit to the others. `false`: there is no such group. */
  push(group: string): boolean;
};

/** A unit that belongs to no pair. `looksStandby` is a fault that can be switched on. */
export function standalone(looksStandby: () => boolean): Cluster {
  const alone = [{ name: 'lab-1', self: true, state: 'active' }];
  const paired = [
    { name: 'lab-1', self: true, state: 'standby' },
    { name: 'lab-2', self: false, state: 'active' },
  ];
  return {
    group: undefined,
    units: () => (looksStandby() ? paired : alone),
    syncStatus: () => ({ status: 'Standalone', color: 'green', summary: '', details: [] }),
    changed: () => {},
    push: () => false,
  };
}

export type PairSettings = {
  readonly group: string;
  readonly autoSync: boolean;
  /** How long a push takes. */
  readonly syncMs: number;
};

type Unit = {
  readonly name: string;
  readonly pools: ReadonlyMap<string, Pool>;
  /** It has changes that the other one lacks. */
  changed: boolean;
  /** The other unit and clients do not reach it. */
  gone: boolean;
  active: boolean;
};

export type Pair = {
  /** What the unit at this place knows. */
  clusterOf(unit: 0 | 1): Cluster;
  /** The place of the unit that has the traffic: the active one, and of two the first. */
  serving(): 0 | 1;
  set(unit: 0 | 1, to: Partial<Pick<Unit, 'active' | 'gone'>>): void;
  /** Pushes begin, and end only when the returned function is called. */
  holdSync(): () => void;
  /** Pushes since the start, by the unit that they came from. */
  pushes(unit: 0 | 1): number;
};

/**
 * Two units that know of each other: one is active, each has a configuration of its own, and a push copies the whole of it,
 * as a config-sync does, also over what was changed on the other side.
 */
export function newPair(
  pools: readonly [ReadonlyMap<string, Pool>, ReadonlyMap<string, Pool>],
  settings: PairSettings,
): Pair {
  const unit = (at: 0 | 1): Unit => {
    return { name: `lab-${at + 1}`, pools: pools[at], changed: false, gone: false, active: at === 0 };
  };
  const units = [unit(0), unit(1)] as const;
  const pushes = [0, 0];
  let held: Promise<void> = Promise.resolve();
  const push = async (at: 0 | 1): Promise<void> => {
    pushes[at] = (pushes[at] ?? 0) + 1;
    const [from, to] = [units[at], units[at === 0 ? 1 : 0]];
    await new Promise((resolve) => setTimeout(resolve, settings.syncMs));
    await held;
    if (from.gone || to.gone) return;
    copy(from, to);
    from.changed = false;
    to.changed = false;
  };
  return {
    serving: () => (units[0].active || !units[1].active ? 0 : 1),
    set: (at, to) => void Object.assign(units[at], to),
    holdSync: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
    pushes: (at) => pushes[at] ?? 0,
    clusterOf: (at) => {
      const [self, other] = [units[at], units[at === 0 ? 1 : 0]];
      return {
        group: { name: settings.group, autoSync: settings.autoSync },
        units: () => [seen(self, true), seen(other, false)],
        syncStatus: () => syncStatus(self, other, settings.group),
        changed: () => {
          self.changed = true;
          // A conflict is none of the changes that are synced by themselves: somebody has to name a direction.
          if (settings.autoSync && !other.changed) void push(at);
        },
        push: (group) => {
          if (group !== settings.group) return false;
          void push(at);
          return true;
        },
      };
    },
  };
}

function seen({ name, active, gone }: Unit, self: boolean): UnitSeen {
  if (gone && !self) return { name, self, state: 'offline' };
  return { name, self, state: active ? 'active' : 'standby' };
}

function copy(from: Unit, to: Unit): void {
  for (const [name, { members }] of from.pools) {
    for (const [at, member] of members.entries()) {
      const twin = to.pools.get(name)?.members[at];
      if (!twin) continue;
      setMember(twin, configOf(member));
      twin.node = member.node;
    }
  }
}

function syncStatus(self: Unit, other: Unit, group: string): SyncStatus {
  const recommended = ({ name }: Unit) => ` - Recommended action: Synchronize ${name} to group ${group}`;
  if (self.gone || other.gone) {
    const summary = 'There is no connection to the other device';
    return { status: 'Disconnected', color: 'red', summary, details: [`${other.name}: disconnected`] };
  }
  const connected = `${other.name}: connected`;
  if (self.changed && other.changed) {
    const summary = `There is a possible change conflict between ${self.name} and ${other.name}.`;
    const details = [connected, `${group} (Changes Pending): ${summary}`, recommended(other)];
    return { status: 'Changes Pending', color: 'red', summary, details };
  }
  const ahead = [self, other].find(({ changed }) => changed);
  if (ahead) {
    const summary = `${group}: changes on ${ahead.name} are pending`;
    const details = [connected, `${group} (Changes Pending): ${summary}`, recommended(ahead)];
    return { status: 'Changes Pending', color: 'yellow', summary, details };
  }
  const summary = 'All devices in the device group are in sync';
  return {
    status: 'In Sync',
    color: 'green',
    summary,
    details: [connected, `${group} (In Sync): ${summary}`],
  };
}
