import { type MemberState, placeOf } from '../../domain/balancer.ts';
import { readerOf, statRows } from './table.ts';

/** A server as `show servers state` describes it; the columns are named in its second line. */
export type ServerState = {
  readonly name: string;
  /** 0 stopped, 1 starting, 2 running, 3 stopping. */
  readonly opState: number;
  /** 1, 2, 4, 32 are kinds of maintenance; 8, 16 kinds of drain; 64 says that the name was set by the socket. */
  readonly adminState: number;
  readonly weight: number;
  readonly address?: string;
  readonly port?: number;
};

/** A server as `show stat` counts it. `unsure`: not looked at yet, or not often enough to change its mind (`UP 1/2`). */
export type ServerStat = {
  readonly connections: number;
  readonly check: 'none' | 'unsure' | 'sure';
  /** It has a cookie, by which clients come back to it while it is drained. */
  readonly hasCookie: boolean;
};

const MAINTENANCE = 1 | 2 | 4 | 32;
const DRAIN = 8 | 16;

/** `undefined` if the reply is not such a table: then it is the text of an error. */
export function parseServersState(reply: string): readonly ServerState[] | undefined {
  const [version, head, ...rows] = reply.split('\n');
  if (version !== '1' || !head?.startsWith('# ')) return undefined;
  const reader = readerOf(head.slice(2).split(' '));
  return rows.filter(Boolean).map((row) => {
    const field = reader(row.split(' '));
    return {
      name: field('srv_name'),
      opState: Number(field('srv_op_state')),
      adminState: Number(field('srv_admin_state')),
      weight: Number(field('srv_uweight')),
      ...addressOf(field('srv_addr'), Number(field('srv_port'))),
    };
  });
}

/** A server whose name is not resolved yet, or that listens on a file of its machine, has none. */
function addressOf(address: string, port: number): Pick<ServerState, 'address' | 'port'> {
  const isPlace = /^[0-9a-fA-F.:]+$/.test(address) && address !== '0.0.0.0' && address !== '::';
  return isPlace ? placeOf(address, port > 0 ? port : undefined) : {};
}

/**
 * By server name; what is queued for it counts as a connection. The column of the cookie is there from level operator on.
 */
export function parseStat(reply: string, backend: string): ReadonlyMap<string, ServerStat> | undefined {
  const rows = statRows(reply, backend);
  if (!rows) return undefined;
  const stats = rows.map((field): [string, ServerStat] => {
    const connections = Number(field('scur')) + Number(field('qcur') || 0);
    const check = checkOf(field('check_status'), field('status'));
    return [field('svname'), { connections, check, hasCookie: field('cookie') !== '' }];
  });
  return new Map(stats);
}

/** A server without a check has an empty `check_status`; `INI` means that the first look is still to come. */
function checkOf(checkStatus: string, status: string): ServerStat['check'] {
  if (checkStatus === '') return 'none';
  return checkStatus === 'INI' || /^UP \d+\/\d+/.test(status) ? 'unsure' : 'sure';
}

export function adminOf({ adminState }: Pick<ServerState, 'adminState'>): MemberState['admin'] {
  if (adminState & MAINTENANCE) return 'offline';
  return adminState & DRAIN ? 'drained' : 'enabled';
}

/**
 * A server in maintenance is not checked, so nothing is known of it. One that leaves maintenance runs at once, before any
 * look: it counts as `checking` until the check is sure of it.
 */
export function healthOf(server: ServerState, stat: ServerStat | undefined): MemberState['health'] {
  if (!stat || stat.check === 'none' || server.adminState & MAINTENANCE) return 'unknown';
  if (server.opState !== 1 && server.opState !== 2) return 'down';
  return server.opState === 1 || stat.check === 'unsure' ? 'checking' : 'up';
}
