import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { JsonObject } from '../../lib/json.ts';
import type { Cluster } from './cluster.ts';
import { errors, type RestAnswer } from './errors.ts';
import { type FaultState, meets } from './faults.ts';
import { type Member, type MemberConfig, setMember } from './member.ts';
import { memberOf, type Pool } from './pool.ts';
import type { Saved } from './saved.ts';
import { hasRole, type LabUser, TOKEN_TIMEOUT_S, type Tokens } from './tokens.ts';
import { collectionView, groupsView, memberView, poolView, statsView, syncView, unitsView } from './view.ts';

/** The control plane of the device: what its REST interface can see and change. */
export type Device = {
  readonly pools: ReadonlyMap<string, Pool>;
  readonly tokens: Tokens;
  readonly faults: FaultState;
  readonly cluster: Cluster;
  readonly saved: Saved;
  /** REST requests since the start. */
  calls: number;
};

type Call = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: JsonObject;
  readonly token: string | undefined;
};
type Authorised = Call & { readonly user: LabUser };

const POOL = /^\/mgmt\/tm\/ltm\/pool\/([^/]+)$/;
const MEMBERS = /^\/mgmt\/tm\/ltm\/pool\/([^/]+)\/members(?:\/([^/]+?))??(\/stats)?$/;
const BODY_LIMIT = 65_536;

/** The subset of iControl REST that switching members needs, errors included. No answer at all is one of them. */
export function icontrol(device: Device): RequestListener {
  return (incoming, outgoing) => {
    void readCall(incoming)
      .then((call) =>
        call ? answer(device, call) : errors.badRequest('Found invalid JSON body in the request.'),
      )
      .then(async (result) => {
        if (incoming.url?.endsWith('/stats')) await device.faults.held;
        return result;
      })
      .then((result) => (result === 'silence' ? undefined : send(outgoing, result)))
      .catch(() => outgoing.destroy());
  };
}

function answer(device: Device, call: Call): RestAnswer | 'silence' {
  device.calls += 1;
  if (meets(device.faults, 'starting')) return errors.starting(call.path);
  if (meets(device.faults, 'restartingPage')) return errors.restartingPage();
  if (call.method === 'POST' && call.path === '/mgmt/shared/authn/login') return login(device, call.body);
  if (meets(device.faults, 'spurious401') || call.token === undefined) return errors.noToken(call.path);
  const seen = device.tokens.check(call.token);
  if (seen === 'expired') return errors.tokenExpired();
  if (seen === 'unknown') return errors.tokenUnknown();
  return route(device, { ...call, user: seen.user });
}

function login(device: Device, body: JsonObject): RestAnswer {
  const { username, password, loginProviderName } = body;
  if (typeof username !== 'string' || typeof password !== 'string')
    return errors.badRequest('username and password must not be null');
  const issued = device.tokens.login(username, password);
  if (issued === 'refused') return errors.loginRefused();
  if (issued === 'full') return errors.tooManyTokens();
  const token = {
    token: issued.token,
    name: issued.token,
    userName: username,
    timeout: TOKEN_TIMEOUT_S,
    expirationMicros: issued.expiresAt * 1000,
    kind: 'shared:authz:tokens:authtokenitemstate',
  };
  return { status: 200, body: { username, loginProviderName: loginProviderName ?? 'tmos', token } };
}

function route(device: Device, call: Authorised): RestAnswer | 'silence' {
  const tokenPath = /^\/mgmt\/shared\/authz\/tokens\/([^/]+)$/.exec(call.path);
  if (tokenPath && call.method === 'DELETE') return deleteToken(device, tokenPath[1] ?? '');
  if (call.path === '/mgmt/tm/sys/ready' && call.method === 'GET') return ready();
  if (call.path.startsWith('/mgmt/tm/cm')) return clusterRoute(device, call);
  if (call.path === '/mgmt/tm/sys/config' && call.method === 'POST') return save(device, call);
  const alone = pathOf(POOL.exec(call.path)?.[1]);
  if (alone !== undefined && call.method === 'GET') return readPool(device, call, alone);
  const match = MEMBERS.exec(call.path);
  const [pool, member] = [pathOf(match?.[1]), pathOf(match?.[2])];
  if (!match || pool === undefined || (match[2] !== undefined && member === undefined))
    return errors.noSuchPath(call.path);
  const stats = match[3] !== undefined;
  if (call.method === 'GET') return read(device, { pool, member, stats });
  if (call.method === 'PATCH' && member !== undefined && !stats) return patch(device, call, { pool, member });
  return errors.badRequest(`${call.method} is not in the lab's subset of iControl REST`);
}

function deleteToken(device: Device, token: string): RestAnswer {
  return device.tokens.delete(token) ? { status: 200, body: { token } } : errors.tokenUnknown(404);
}

function ready(): RestAnswer {
  const yes = { description: 'yes' };
  const entries = { configReady: yes, licenseReady: yes, provisionReady: yes };
  return {
    status: 200,
    body: { entries: { 'https://localhost/mgmt/tm/sys/ready/0': { nestedStats: { entries } } } },
  };
}

function clusterRoute({ cluster, faults }: Device, call: Authorised): RestAnswer {
  if (faults.hideCluster) return errors.notAuthorised(call.user.name, call);
  const asked = `${call.method} ${call.path.slice('/mgmt/tm/cm'.length)}`;
  if (asked === 'GET /device') return { status: 200, body: unitsView(cluster.units()) };
  if (asked === 'GET /device-group') return { status: 200, body: groupsView(cluster.group) };
  if (asked === 'GET /sync-status') return { status: 200, body: syncView(cluster.syncStatus()) };
  if (asked !== 'POST ') return errors.noSuchPath(call.path);
  if (!hasRole(call.user, 'resource-admin')) return errors.notAuthorised(call.user.name, call);
  const { command, utilCmdArgs } = call.body;
  const group =
    typeof utilCmdArgs === 'string' ? /^config-sync to-group (\S+)$/.exec(utilCmdArgs)?.[1] : undefined;
  if (command !== 'run' || group === undefined)
    return errors.badRequest('command must be a config-sync to-group');
  return cluster.push(group) ? { status: 200, body: call.body } : errors.noGroup(group);
}

function save({ saved }: Device, call: Authorised): RestAnswer {
  if (!hasRole(call.user, 'resource-admin')) return errors.notAuthorised(call.user.name, call);
  if (call.body.command !== 'save') return errors.badRequest('command must be save');
  saved.save();
  return { status: 200, body: { kind: 'tm:sys:config:savestate', command: 'save' } };
}

function readPool(device: Device, call: Authorised, path: string): RestAnswer {
  const pool = device.pools.get(path);
  if (!pool) return errors.noPool(path);
  return { status: 200, body: poolView(pool, call.query.get('expandSubcollections') === 'true') };
}

type Reading = { readonly pool: string; readonly member: string | undefined; readonly stats: boolean };

function read(device: Device, { pool: poolPath, member: path, stats }: Reading): RestAnswer {
  const pool = device.pools.get(poolPath);
  if (!pool) return errors.noPool(poolPath);
  const member = path === undefined ? undefined : memberOf(pool, path);
  if (path !== undefined && !member) {
    const bare = {
      kind: 'tm:ltm:pool:members:membersstate',
      fullPath: path,
      session: 'user-enabled',
      state: 'unchecked',
    };
    return device.faults.bareMembers ? { status: 200, body: bare } : errors.noMember(poolPath, path);
  }
  const flat = device.faults.flatStats;
  if (stats) return { status: 200, body: statsView(pool, member ? [member] : pool.members, flat) };
  return { status: 200, body: member ? memberView(pool, member) : collectionView(pool) };
}

function patch(
  device: Device,
  call: Authorised,
  at: { pool: string; member: string },
): RestAnswer | 'silence' {
  if (meets(device.faults, 'busy')) return errors.busy();
  const pool = device.pools.get(at.pool);
  if (!pool) return errors.noPool(at.pool);
  if (!mayWrite(call.user, pool, call.body)) return errors.notAuthorised(call.user.name, call);
  const member = memberOf(pool, at.member);
  if (!member) return errors.noMember(at.pool, at.member);
  const wanted = writable(call.body);
  if (typeof wanted === 'string') return errors.badProperty(wanted);
  const ignored = meets(device.faults, 'ignoreWrites');
  if (!ignored) {
    setMember(member, wanted);
    device.cluster.changed();
  }
  if (meets(device.faults, 'applyThenTimeout')) return 'silence';
  return { status: 200, body: ignored ? claimed(pool, member, call.body) : memberView(pool, member) };
}

/** An operator may switch a member, and nothing else of it. */
function mayWrite(user: LabUser, pool: Pool, body: JsonObject): boolean {
  const least = 'ratio' in body || 'priorityGroup' in body ? 'manager' : 'operator';
  const reaches = user.partition === 'all' || user.partition === pool.partition;
  return reaches && hasRole(user, least);
}

/** Two fields with two writable values each, and two numbers; anything else is named in the answer. */
function writable(body: JsonObject): Partial<MemberConfig> | string {
  const { session, state, ratio, priorityGroup, ...rest } = body;
  const [other] = Object.keys(rest);
  if (other !== undefined) return `${other} is not in the lab's subset of a member's properties`;
  if (session !== undefined && session !== 'user-enabled' && session !== 'user-disabled') {
    return `"${String(session)}" is not a value that session can be set to`;
  }
  if (state !== undefined && state !== 'user-up' && state !== 'user-down') {
    return `"${String(state)}" is not a value that state can be set to`;
  }
  if (ratio !== undefined && typeof ratio !== 'number') return 'ratio is a number';
  if (priorityGroup !== undefined && typeof priorityGroup !== 'number') return 'priorityGroup is a number';
  return {
    ...(ratio !== undefined && { ratio }),
    ...(priorityGroup !== undefined && { priorityGroup }),
    ...(session !== undefined && { disabled: session === 'user-disabled' }),
    ...(state !== undefined && { forcedDown: state === 'user-down' }),
  };
}

const claimed = (pool: Pool, member: Member, body: JsonObject): JsonObject => ({
  ...memberView(pool, member),
  ...body,
});

/** `~Common~web` of an address as `/Common/web`; `undefined` for what is no such name. */
function pathOf(segment: string | undefined): string | undefined {
  if (!segment?.startsWith('~')) return undefined;
  try {
    return decodeURIComponent(segment).replaceAll('~', '/');
  } catch {
    return undefined;
  }
}

async function readCall(incoming: IncomingMessage): Promise<Call | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > BODY_LIMIT) return undefined;
  }
  const token = incoming.headers['x-f5-auth-token'];
  const [path = '/', query] = (incoming.url ?? '/').split('?');
  const head = {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    token: Array.isArray(token) ? token[0] : token,
  };
  try {
    const body: unknown = size === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return typeof body === 'object' && body !== null && !Array.isArray(body)
      ? { ...head, body: body as JsonObject }
      : undefined;
  } catch {
    return undefined;
  }
}

function send(outgoing: ServerResponse, { status, body }: RestAnswer): void {
  const html = typeof body === 'string';
  outgoing.writeHead(status, { 'content-type': html ? 'text/html' : 'application/json; charset=UTF-8' });
  outgoing.end(html ? body : JSON.stringify(body));
}
