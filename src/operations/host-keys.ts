import { asEdgeError, EdgeError, type ErrorBody } from '../domain/errors.ts';
import { placeOfKey, type ShownKey, type TrustedKey } from '../domain/host-key.ts';
import type { TargetConfig } from '../domain/project-environment.ts';
import { forEachLimited } from '../lib/concurrency.ts';
import { didYouMean } from '../lib/nearest.ts';
import { waysToJumpHosts, wayTo } from '../plan/host-address.ts';
import { resolveSettings } from '../plan/settings.ts';
import type { UnprovenHost } from '../ports/host-keys.ts';
import type { Kept, RecordChange } from '../ports/records.ts';
import { authorize, type Caller } from './caller.ts';
import type { PlaceRequest } from './documents.ts';
import { documentsNow } from './inventory.ts';
import type { OperationPorts } from './ports.ts';

/** What says which key of a host is its own; only what is recorded, or said by nobody, can be recorded here. */
export type KeySource = 'hostKey' | 'knownHosts' | 'config' | 'record';

type At = { readonly at: number };
type Recorded = TrustedKey & At & { readonly earlier: readonly (TrustedKey & At)[] };

export type HostKeyRow = {
  /** Of the target; of a jump host its address. */
  readonly name: string;
  readonly jump: boolean;
  readonly address: string;
  readonly port: number | null;
  readonly shown: ShownKey | null;
  readonly verdict: 'trusted' | 'new' | 'changed' | 'unseen';
  readonly by: KeySource | null;
  readonly recorded: Recorded | null;
  /** Why nobody logs in there; `null` where the key is trusted. */
  readonly problem: ErrorBody | null;
};

const SIDE_BY_SIDE = 32;

/**
 * Asks the hosts for the keys that they show, jump hosts first, and says which of them are known. Records nothing and logs in
 * to no host but known jump hosts. Throws `project_unknown`, `environment_unknown`, `target_unknown`.
 */
export async function showHostKeys(
  ports: OperationPorts,
  caller: Caller,
  input: PlaceRequest & { readonly targets?: readonly string[] },
): Promise<{ readonly hosts: readonly HostKeyRow[] }> {
  authorize(caller, 'host.trust');
  const asked = await askedHosts(ports, input);
  const hosts: HostKeyRow[] = [];
  await forEachLimited(asked, SIDE_BY_SIDE, async (host, index) => {
    hosts[index] = await looked(ports, host);
  });
  return { hosts };
}

type Asked = {
  readonly way: ReturnType<typeof wayTo>;
  readonly jump: boolean;
  readonly by: KeySource | null;
  readonly kept: Kept<'host-key'> | undefined;
};

async function askedHosts(
  ports: OperationPorts,
  input: PlaceRequest & { readonly targets?: readonly string[] },
): Promise<readonly Asked[]> {
  const { records } = ports;
  const documents = await documentsNow(ports, input);
  const settings = resolveSettings(documents);
  const all = await records.list('host-key', `${input.environment}/`);
  const byKey = new Map(all.map((kept) => [kept.key, kept]));
  const asked = (way: Asked['way'], more: { readonly jump: boolean; readonly pinned: boolean }): Asked => ({
    way,
    jump: more.jump,
    by: sourceOf(way, more.pinned),
    kept: byKey.get(recordKey(input.environment, placeOf({ way }))),
  });
  return [
    ...waysToJumpHosts(settings).map((way) => asked(way, { jump: true, pinned: false })),
    ...chosen(documents.projectEnvironment.targets, input.targets).map((target) =>
      asked(wayTo(target, settings), { jump: false, pinned: target.hostKey !== undefined }),
    ),
  ];
}

/** No place has the name that a host without a port gets. */
const placeOf = ({ way }: { readonly way: { readonly address: string; readonly port?: number } }): string =>
  way.port === undefined ? '' : placeOfKey(way.address, way.port);

const recordKey = (environment: string, place: string): string => `${environment}/${place}`;

function sourceOf({ hostKey }: Asked['way'], pinned: boolean): KeySource | null {
  if (hostKey === undefined) return null;
  if ('knownHosts' in hostKey) return 'knownHosts';
  if ('config' in hostKey) return 'config';
  return pinned ? 'hostKey' : 'record';
}

function chosen(
  targets: readonly TargetConfig[],
  names: readonly string[] | undefined,
): readonly TargetConfig[] {
  if (names === undefined) return targets;
  const known = new Set(targets.map(({ name }) => name));
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return targets.filter(({ name }) => names.includes(name));
  throw new EdgeError('target_unknown', `There is no target "${unknown}" in this environment`, {
    hint: didYouMean(unknown, known),
    where: { target: unknown },
  });
}

async function looked({ hosts }: OperationPorts, asked: Asked): Promise<HostKeyRow> {
  const { way, jump, by } = asked;
  const recorded = recordedOf(asked);
  const row = { name: way.name, jump, address: way.address, port: way.port ?? null, by, recorded };
  try {
    const { refused, ...shown } = await hosts.shownKey(withKnownJumps(way));
    if (refused === null) return { ...row, shown, verdict: 'trusted', problem: null };
    const changed = refused.code === 'host_key_mismatch';
    const problem = changed && by === 'record' && recorded ? otherKey(way, shown, recorded).body : refused;
    return { ...row, shown, verdict: changed ? 'changed' : 'new', problem };
  } catch (thrown) {
    return { ...row, shown: null, verdict: 'unseen', problem: asEdgeError(thrown).body };
  }
}

const recordedOf = ({ kept }: Asked): Recorded | null =>
  kept ? { ...kept.value.key, at: kept.at, earlier: kept.value.earlier } : null;

/** Nobody goes through a jump host whose key is not known. */
function withKnownJumps({ jump, ...way }: Asked['way']): UnprovenHost {
  if (jump === undefined) return way;
  const known = jump.map(({ hostKey, ...hop }) => {
    if (hostKey !== undefined) return { ...hop, hostKey };
    const what = `${way.name} is reached through the jump host ${hop.address}, whose key is not known yet`;
    throw new EdgeError('host_key_unknown', what, {
      hint: 'Record the key of the jump host first, then look again.',
      where: { target: way.name },
    });
  });
  return { ...way, jump: known };
}

const otherKey = ({ name }: Asked['way'], shown: ShownKey, { fingerprint, by }: TrustedKey): EdgeError =>
  new EdgeError(
    'host_key_mismatch',
    `${name} shows the key ${shown.fingerprint}; ${by} has recorded ${fingerprint}`,
    {
      hint: 'Do not go on before you know why; then `edge trust --replace` records the new key.',
      where: { target: name },
    },
  );

/** A key as a person has seen and compared it. `replaces`: the recorded fingerprint that it is to stand for from now on. */
export type SeenKey = ShownKey & {
  readonly address: string;
  readonly port: number;
  readonly replaces?: string;
};
export type RecordedKey = Omit<SeenKey, 'replaces'> & {
  readonly change: 'created' | 'replaced' | 'unchanged';
};

/** How often it begins anew when others record keys of the same hosts meanwhile. */
const TRIES = 5;

/**
 * Records these very keys, all of them or none; no host is asked again. What it replaces stays in the record. Throws what
 * `showHostKeys` throws, `host_key_mismatch` where another key is recorded than the one that is to be replaced, and
 * `request_invalid` for what is no host of this environment, or is known by its configuration.
 */
export async function trustHostKeys(
  ports: OperationPorts,
  caller: Caller,
  input: PlaceRequest & { readonly keys: readonly SeenKey[] },
): Promise<{ readonly recorded: readonly RecordedKey[] }> {
  authorize(caller, 'host.trust');
  const keys = onePerPlace(input.keys);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { project, environment } = input;
    const hosts = Map.groupBy(await askedHosts(ports, { project, environment }), placeOf);
    const prepared = keys.map((key) => {
      const host = recordable(placeOf({ way: key }), hosts);
      return prepare(key, host, { by: caller.name, environment });
    });
    const changes = prepared.flatMap(({ change }) => change ?? []);
    if (changes.length === 0 || (await ports.records.apply(changes)).kind === 'applied')
      return { recorded: prepared.map(({ recorded }) => recorded) };
  }
  throw new EdgeError(
    'store_unavailable',
    'Others recorded the same keys at the same time; nothing was changed',
  );
}

/** Several targets may be on one host. */
function onePerPlace(keys: readonly SeenKey[]): readonly SeenKey[] {
  const places = Map.groupBy(keys, (key) => placeOf({ way: key }));
  return [...places].flatMap(([place, shown]) => {
    if (new Set(shown.map(({ fingerprint }) => fingerprint)).size > 1)
      throw new EdgeError('request_invalid', `${place} is given two keys`, { where: { path: 'keys' } });
    return shown.slice(0, 1);
  });
}

type Prepared = { readonly recorded: RecordedKey; readonly change: RecordChange | null };

function prepare(
  { replaces, ...seen }: SeenKey,
  host: Asked,
  { by, environment }: { readonly by: string; readonly environment: string },
): Prepared {
  const { address, port, type, fingerprint } = seen;
  const before = recordedOf(host);
  if (before?.fingerprint === fingerprint)
    return { recorded: { ...seen, change: 'unchanged' }, change: null };
  if (before && before.fingerprint !== replaces) throw otherKey(host.way, seen, before);
  const value = {
    ...{ environment, address, port, key: { type, fingerprint, by } },
    earlier: before ? withNow(before) : [],
  };
  const key = recordKey(environment, placeOfKey(address, port));
  const change: RecordChange = { kind: 'host-key', key, value, expected: host.kept?.version ?? 0 };
  return { recorded: { ...seen, change: before ? 'replaced' : 'created' }, change };
}

const withNow = ({ earlier, ...key }: Recorded): Recorded['earlier'] => [...earlier, key];

/** The host at a place, if its key may be recorded: where its configuration says a key, that one holds. */
function recordable(place: string, hosts: ReadonlyMap<string, readonly Asked[]>): Asked {
  const there = hosts.get(place) ?? [];
  const free = there.find(({ by }) => by === null || by === 'record');
  if (free) return free;
  const [known] = there;
  const what = known
    ? `The key of ${known.way.name} is known by its configuration (${known.by})`
    : `No host of this environment is reached at ${place}`;
  const hint = known ? 'Put the new key there.' : 'Look again: the configuration has changed meanwhile.';
  throw new EdgeError('request_invalid', what, { where: { path: 'keys' }, hint });
}
