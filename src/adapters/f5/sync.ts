import { EdgeError } from '../../domain/errors.ts';
import { type DeviceGroup, parseGroups, parseSyncStatus, type SyncState } from './cluster.ts';
import type { ActiveUnit } from './session.ts';
import { bodyOf, jsonOf } from './unit.ts';

export type SyncOptions = {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Between two looks at the status, and how many there are before Edge gives up. */
  readonly everyMs: number;
  readonly looks: number;
};

/** `apart`: the peer does not have the change, and why that had to be. `late`: it should have it by now. */
export type Synced =
  | { readonly kind: 'synced' }
  | { readonly kind: 'apart'; readonly why: string }
  | { readonly kind: 'late'; readonly error: EdgeError };

const SYNCED: Synced = { kind: 'synced' };
const CM = '/mgmt/tm/cm';
const SAVE_TIMEOUT_MS = 120_000;
const PUSH_TIMEOUT_MS = 60_000;

const SYNC_HINT =
  'A push needs the role Resource Administrator. With the role Operator, let the device group sync by itself (autoSync); or set `sync: off` of the balancer, and know that a failover then forgets drains.';

/**
 * Refuses to begin where a change could not be brought to the peer, or would overwrite what somebody changed there: the
 * units are in conflict, or changes wait on another unit. A peer that is away is no reason: nothing can fail over to it.
 */
export async function refuseUnsynced(unit: ActiveUnit): Promise<void> {
  const group = await groupOf(unit);
  if (group) mustBePushable(await statusOf(unit, group), unit, group);
}

/**
 * Brings the configuration of the active unit to the others and resolves when the device says that they have it: waits
 * where the group syncs by itself, else pushes.
 */
export async function bringInSync(
  unit: ActiveUnit,
  { sleep, everyMs, looks }: SyncOptions,
  signal: AbortSignal,
): Promise<Synced> {
  const group = await groupOf(unit);
  if (!group) return SYNCED;
  const before = await statusOf(unit, group);
  mustBePushable(before, unit, group);
  if (before.kind === 'alone') return SYNCED;
  if (!group.autoSync && before.kind !== 'disconnected') await push(unit, group);
  // A group that syncs by itself may still say `In Sync` of the moment before.
  const wanted = group.autoSync ? 2 : 1;
  let last: SyncState = before;
  for (let look = 0, inRow = 0; look < looks; look += 1) {
    last = await statusOf(unit, group);
    if (last.kind === 'disconnected') return { kind: 'apart', why: last.words };
    mustBePushable(last, unit, group);
    inRow = last.kind === 'in-sync' ? inRow + 1 : 0;
    if (inRow >= wanted) return SYNCED;
    await sleep(everyMs, signal);
    await unit.confirm();
  }
  const words = 'words' in last ? last.words : last.kind;
  const message = `${group.name} is not in sync after ${Math.round((looks * everyMs) / 1_000)} s: ${words}`;
  const hint = 'See `tmsh show cm sync-status` on both units; what was changed is on the active one only.';
  return { kind: 'late', error: new EdgeError('balancer_unreachable', message, { hint }) };
}

/** Writes the running configuration to disk, so that a reboot brings it back. */
export async function saveConfig(unit: ActiveUnit): Promise<void> {
  const path = '/mgmt/tm/sys/config';
  const hint =
    'Saving needs the role Resource Administrator. Give it to the account, or leave `save` of the balancer at `off`.';
  const seen = await hinted(hint, () =>
    unit.call({ method: 'POST', path, body: { command: 'save' }, timeoutMs: SAVE_TIMEOUT_MS }),
  );
  bodyOf(seen, 'save of the configuration');
}

async function push(unit: ActiveUnit, { name }: DeviceGroup): Promise<void> {
  // Pushed from a unit that is not active, a configuration would overwrite the one that serves.
  await unit.confirm();
  const body = { command: 'run', utilCmdArgs: `config-sync to-group ${name}` };
  const seen = await hinted(SYNC_HINT, () =>
    unit.call({ method: 'POST', path: CM, body, timeoutMs: PUSH_TIMEOUT_MS }),
  );
  // Without an answer it may be under way: the status tells.
  if (seen.kind === 'answer') bodyOf(seen, `config-sync to ${name}`);
}

async function groupOf(unit: ActiveUnit): Promise<DeviceGroup | undefined> {
  if (!unit.paired) return undefined;
  const path = `${CM}/device-group`;
  const seen = await hinted(SYNC_HINT, () => unit.call({ method: 'GET', path }));
  const groups = parseGroups(bodyOf(seen, 'device groups'));
  if (!groups) throw new EdgeError('balancer_refused', 'device groups: the answer is not a list of them');
  const [group, second] = groups;
  if (!second) return group;
  const names = groups.map(({ name }) => name).join(', ');
  const hint = 'Set `sync: off` of the balancer and sync by other means, or leave one group for failover.';
  throw new EdgeError('balancer_refused', `The device has several groups for failover: ${names}`, { hint });
}

async function statusOf(unit: ActiveUnit, { name }: DeviceGroup): Promise<SyncState> {
  const path = `${CM}/sync-status`;
  const seen = await hinted(SYNC_HINT, () => unit.call({ method: 'GET', path }));
  bodyOf(seen, 'sync status');
  const state = seen.kind === 'answer' ? parseSyncStatus(jsonOf(seen.body), name) : undefined;
  if (state) return state;
  throw new EdgeError('balancer_refused', 'sync status: the answer has no status', { hint: SYNC_HINT });
}

function mustBePushable(state: SyncState, unit: ActiveUnit, { name }: DeviceGroup): void {
  const elsewhere = state.kind === 'pending' && state.on !== undefined && state.on !== unit.self;
  if (state.kind !== 'conflict' && state.kind !== 'other' && !elsewhere) return;
  const hint =
    'Decide which unit is right and sync from it (`tmsh run cm config-sync to-group …`); Edge overwrites nobody’s changes.';
  throw new EdgeError('balancer_refused', `${name} is not in sync: ${state.words}`, { hint });
}

/** A refusal for want of a role, with advice that fits what was asked. */
async function hinted<T>(hint: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof EdgeError) || error.code !== 'balancer_refused') throw error;
    throw new EdgeError(error.code, error.message, { hint, cause: error });
  }
}
