import { type AsFound, type MemberState, placeOf } from '../../domain/balancer.ts';
import { EdgeError } from '../../domain/errors.ts';
import { SharedReads } from '../../lib/shared-reads.ts';
import type { LoadBalancer, MayWrite, PoolMember } from '../../ports/load-balancer.ts';
import { refusal, requireName } from './refusals.ts';
import { adminOf, healthOf, parseServersState, parseStat, type ServerState } from './replies.ts';
import { ask, askAll, type RuntimeSocket } from './socket.ts';

export type HaproxyOptions = {
  /** A path, or `host:port`, of a stats socket with `level admin`. */
  readonly socket: string;
  readonly timeoutMs?: number;
};

type Admin = MemberState['admin'];
/** With a way to read a pool that shows what was just written, shared with others who wrote. */
type Device = RuntimeSocket & {
  readonly readAnew: (pool: string, signal: AbortSignal) => Promise<readonly MemberState[]>;
};

const TIMEOUT_MS = 5_000;
const STATE_WORDS: Readonly<Record<Admin, string>> = { enabled: 'ready', drained: 'drain', offline: 'maint' };

/**
 * Server state of HAProxy over its runtime socket (wire facts: INTEGRATIONS.md 2.1). A pool is a backend, a member one of
 * its servers. What is set here is lost when HAProxy reloads without a state file: whoever drains has to look again.
 */
export function createHaproxyBalancer(options: HaproxyOptions): LoadBalancer {
  const target = { address: options.socket, timeoutMs: options.timeoutMs ?? TIMEOUT_MS };
  const reads = new SharedReads<readonly MemberState[]>();
  const closing = new AbortController();
  const device: Device = {
    ...target,
    readAnew: (pool, signal) => reads.readAnew(pool, () => members(target, pool, closing.signal), signal),
  };
  const forgetting = (write: Promise<MemberState>): Promise<MemberState> =>
    write.finally(() => reads.forget());
  return {
    members: async (pool, signal) => reads.read(pool, () => members(target, pool, closing.signal), signal),
    disable: (member, to, signal, mayWrite) => forgetting(setAdmin(device, { member, to, signal, mayWrite })),
    restore: (member, asFound, signal, mayWrite) =>
      forgetting(restore(device, { member, asFound, signal, mayWrite })),
    // A connection lasts for one command: there is nothing to end but reads that nobody waits for.
    close: async () => closing.abort(new Error('the balancer is closed')),
  };
}

async function members(
  target: RuntimeSocket,
  pool: string,
  signal: AbortSignal,
): Promise<readonly MemberState[]> {
  requireName(pool);
  // State first, counts after: a server seen as drained had no new connection when they were counted.
  const [state = '', counts = ''] = await askAll(
    target,
    [`show servers state ${pool}`, `show stat ${pool} 4 -1`],
    signal,
  );
  const servers = parseServersState(state);
  if (!servers) throw refusal(`backend ${pool}`, state);
  const stats = parseStat(counts, pool);
  return servers.map((server) => {
    const stat = stats?.get(server.name);
    return {
      member: server.name,
      admin: adminOf(server),
      health: healthOf(server, stat),
      connections: stat?.connections,
      ...(stat?.hasCookie && { persistent: true }),
      ...placeOf(server.address, server.port),
      asFound: asFoundOf(server),
    };
  });
}

const asFoundOf = (server: ServerState): AsFound => ({
  adminState: server.adminState,
  weight: server.weight,
});

type Write = {
  readonly member: PoolMember;
  readonly signal: AbortSignal;
  readonly mayWrite: MayWrite | undefined;
};

async function setAdmin(
  target: Device,
  { to, ...write }: Write & { readonly to: Admin },
): Promise<MemberState> {
  const { member, signal } = write;
  await set(target, `set server ${nameOf(member)} state ${STATE_WORDS[to]}`, write);
  const after = await readOne(target, member, signal);
  if (after.admin === to) return after;
  throw new EdgeError(
    'balancer_refused',
    `${nameOf(member)}: HAProxy said nothing against it and kept it ${after.admin}`,
  );
}

/** Only what differs is written: weights of a static algorithm cannot be set at all, and a tracking server has no own state. */
async function restore(
  target: Device,
  { asFound, ...write }: Write & { readonly asFound: AsFound },
): Promise<MemberState> {
  const { member, signal } = write;
  const { adminState, weight } = asFound;
  if (typeof adminState !== 'number' || typeof weight !== 'number') {
    throw new EdgeError(
      'internal',
      `${nameOf(member)}: what was found there was not recorded by this adapter`,
    );
  }
  const now = await readOne(target, member, signal);
  if (now.asFound.weight !== weight)
    await set(target, `set server ${nameOf(member)} weight ${weight}`, write);
  const to = adminOf({ adminState });
  if (now.admin === to) return readOne(target, member, signal);
  return setAdmin(target, { ...write, to });
}

async function readOne(target: Device, member: PoolMember, signal: AbortSignal): Promise<MemberState> {
  const found = (await target.readAnew(member.pool, signal)).find((state) => state.member === member.member);
  if (!found)
    throw new EdgeError('balancer_member_unknown', `backend ${member.pool} has no server ${member.member}`);
  return found;
}

/** There is no status code: a set that worked says nothing, so every text is a failure. */
async function set(target: RuntimeSocket, command: string, { signal, mayWrite }: Write): Promise<void> {
  const reply = await ask(target, command, signal, mayWrite);
  if (reply !== '') throw refusal(command, reply);
}

function nameOf({ pool, member }: PoolMember): string {
  requireName(pool);
  requireName(member);
  return `${pool}/${member}`;
}
