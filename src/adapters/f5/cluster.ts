import * as z from 'zod';

/** What a unit says of itself and of the others of its trust domain (INTEGRATIONS.md 1.5). */
export type UnitView = {
  readonly self: string;
  /** `active`, `standby`, or what else it may be at the moment. */
  readonly state: string;
  /** There are other units: it can turn standby, and its changes have somewhere to go. */
  readonly paired: boolean;
  /** It sees another unit that is active as well. */
  readonly rival: string | undefined;
};

const DevicesSchema = z.object({
  items: z.array(
    z.object({ name: z.string().default(''), selfDevice: z.string(), failoverState: z.string() }),
  ),
});

/** `undefined` if it does not say. */
export function parseUnits(body: unknown): UnitView | undefined {
  const units = DevicesSchema.safeParse(body).data?.items ?? [];
  const self = units.find(({ selfDevice }) => selfDevice === 'true');
  if (!self) return undefined;
  const rival = units.find((unit) => unit !== self && unit.failoverState === 'active');
  return {
    self: self.name,
    state: self.failoverState,
    paired: units.length > 1,
    rival: self.failoverState === 'active' ? rival?.name : undefined,
  };
}

export type DeviceGroup = { readonly name: string; readonly autoSync: boolean };

const GroupsSchema = z.object({
  items: z
    .array(
      z.object({ name: z.string(), type: z.string().default(''), autoSync: z.string().default('disabled') }),
    )
    .default([]),
});

/** The groups that people made for failover; those for trust and shared data are the device's own. */
export function parseGroups(body: unknown): readonly DeviceGroup[] | undefined {
  const groups = GroupsSchema.safeParse(body).data?.items;
  return groups
    ?.filter(({ name, type }) => type === 'sync-failover' && !/^(datasync-|device_trust_group$)/.test(name))
    .map(({ name, autoSync }) => ({ name, autoSync: autoSync === 'enabled' }));
}

/** Where the units of a group stand to each other. `pending`: changes wait on the unit that is named, if one is. */
export type SyncState =
  | { readonly kind: 'in-sync' | 'alone' }
  | { readonly kind: 'pending'; readonly on: string | undefined; readonly words: string }
  | { readonly kind: 'conflict' | 'disconnected' | 'other'; readonly words: string };

/**
 * The status is read from its texts, which are all that the device gives. The whole status counts other groups in, so that
 * the line of this group decides where there is one. A recommended action names the unit to push from; it stands beside
 * changes that merely wait, and beside a conflict, which only the words tell apart.
 */
export function parseSyncStatus(body: unknown, group: string): SyncState | undefined {
  const texts: string[] = [];
  const status = new Map<string, string>();
  collect(body, (name, text) => {
    if (name === 'details') texts.push(text);
    else status.set(name, text);
  });
  const overall = status.get('status');
  if (overall === undefined) return undefined;
  const own = texts.map((text) => lineOf(text, group)).find((line) => line !== undefined);
  const words = [overall, status.get('summary'), ...texts].filter(Boolean).join('; ').trim();
  const all = texts.join('\n');
  const on = recommended(all, group);
  return stateOf(own ?? overall, { conflict: /change conflict/i.test(words), words, on });
}

type Told = { readonly conflict: boolean; readonly words: string; readonly on: string | undefined };

function stateOf(status: string, { conflict, words, on }: Told): SyncState {
  switch (status.toLowerCase()) {
    case 'in sync':
      return { kind: 'in-sync' };
    case 'standalone':
      return { kind: 'alone' };
    case 'disconnected':
      return { kind: 'disconnected', words };
    case 'changes pending':
    case 'not all devices synced':
    case 'syncing':
      return conflict ? { kind: 'conflict', words } : { kind: 'pending', on, words };
    default:
      return { kind: 'other', words };
  }
}

/** `In Sync` of `dg-web (In Sync): All devices …`. */
function lineOf(text: string, group: string): string | undefined {
  const [name, rest] = text.trim().split(/\s+\(/, 2);
  return name === group || name === `/Common/${group}` ? rest?.split(')')[0] : undefined;
}

function recommended(texts: string, group: string): string | undefined {
  const found = [...texts.matchAll(/Recommended action:\s*Synchronize (\S+) to group (\S+)/gi)];
  return found.find(([, , to]) => to === group || to === `/Common/${group}`)?.[1];
}

const DEPTH_LIMIT = 10;

/** Every `name: { description }` below, whatever the keys above it. */
function collect(value: unknown, found: (name: string, text: string) => void, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > DEPTH_LIMIT) return;
  for (const [name, child] of Object.entries(value)) {
    const text: unknown =
      typeof child === 'object' && child !== null
        ? Object.getOwnPropertyDescriptor(child, 'description')?.value
        : undefined;
    if (typeof text === 'string') found(name, text);
    else collect(child, found, depth + 1);
  }
}
