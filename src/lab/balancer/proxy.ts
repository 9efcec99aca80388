import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { endToEndFields, persistenceRecord } from './headers.ts';
import type { Member } from './member.ts';
import { nextMember, type Pool, persistentMember } from './pool.ts';

/** The address at which clients reach a pool. */
export type VirtualSettings = {
  readonly host?: string;
  /** 0 picks a free one. */
  readonly port?: number;
  /** Pins a keep-alive client to its member until it hangs up, as a device without OneConnect does. */
  readonly perConnection?: boolean;
  /** A cookie of this name binds a client to a member. */
  readonly persistence?: { readonly cookie: string };
};

export type Virtual = { readonly url: string; close(): Promise<void> };

/** A client connection that belongs to one member, over one connection of its own. */
type Pin = { readonly member: Member; readonly agent: Agent };
type Route = { readonly member: Member; readonly agent: Agent; readonly setCookie?: string };

/** Idle connections to a member end here, before the member ends them: else a request could meet a closing socket. */
const IDLE_TO_MEMBER_MS = 4_000;
/** Longer than a client keeps an idle connection, for the same reason on the other side. */
const IDLE_FROM_CLIENT_MS = 65_000;

/**
 * Carries HTTP between clients and the members of a pool. It never retries: what a client meets is what happened.
 * A request counts in its member's connections from the choice of the member until the answer has been passed on whole.
 */
export function startVirtual(pool: () => Pool, settings: VirtualSettings): Promise<Virtual> {
  const router = new Router(pool, settings);
  const server = createServer({ keepAliveTimeout: IDLE_FROM_CLIENT_MS }, (incoming, outgoing) =>
    carry(router, incoming, outgoing),
  );
  // A client that has sent its request may close its half of the connection and still gets the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  const host = settings.host ?? '127.0.0.1';
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port ?? 0, host, () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      resolve({ url: `http://${host}:${port}`, close: () => stop(server, router) });
    });
  });
}

/** Chooses the member of a request, and owns the connections to members. */
class Router {
  readonly #pool: () => Pool;
  readonly #settings: VirtualSettings;
  readonly #agents = new Map<Member, Agent>();
  readonly #pins = new Map<Socket, Pin>();

  constructor(pool: () => Pool, settings: VirtualSettings) {
    this.#pool = pool;
    this.#settings = settings;
  }

  /** As the unit that has the traffic now knows it. */
  get pool(): Pool {
    return this.#pool();
  }

  get pinned(): boolean {
    return this.#settings.perConnection === true;
  }

  route(incoming: IncomingMessage): Route | undefined {
    const known = this.#pins.get(incoming.socket);
    if (known) return known;
    const cookie = this.#settings.persistence?.cookie;
    const bound = cookie && persistentMember(this.pool, persistenceRecord(incoming.headers.cookie, cookie));
    const member = bound || nextMember(this.pool);
    if (!member) return undefined;
    const agent = this.pinned ? this.#pin(incoming.socket, member) : this.#agentOf(member);
    return cookie && !bound
      ? { member, agent, setCookie: `${cookie}=${member.name}; Path=/` }
      : { member, agent };
  }

  #agentOf(member: Member): Agent {
    const known = this.#agents.get(member);
    if (known) return known;
    const agent = new Agent({ keepAlive: true, timeout: IDLE_TO_MEMBER_MS, maxFreeSockets: 64 });
    this.#agents.set(member, agent);
    return agent;
  }

  #pin(socket: Socket, member: Member): Agent {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#pins.set(socket, { member, agent });
    member.connections += 1;
    socket.once('close', () => {
      this.#pins.delete(socket);
      member.connections -= 1;
      agent.destroy();
    });
    return agent;
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    for (const { agent } of this.#pins.values()) agent.destroy();
  }
}

function carry(router: Router, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { pool } = router;
  const { counters } = pool;
  counters.requests += 1;
  const route = router.route(incoming);
  if (!route) {
    counters.noMember += 1;
    refuse(outgoing, 503, 'no member is in service');
    return;
  }
  const toMember = request({
    ...route.member.connect,
    method: incoming.method,
    path: incoming.url,
    headers: endToEndFields(incoming),
    agent: route.agent,
  });
  const fail = account({ pool, pinned: router.pinned }, route.member, outgoing);
  outgoing.once('close', () => toMember.destroy());
  toMember.on('error', fail);
  toMember.once('response', (answer) => {
    answer.on('error', fail);
    passOn(answer, outgoing, { setCookie: route.setCookie, pinned: router.pinned });
  });
  incoming.pipe(toMember);
}

/**
 * Counts a request for its member until its answer is over, whatever became of it: that is the one place where it stops
 * to count. Returns what to call when the member fails it.
 */
function account(
  { pool, pinned }: Pick<Router, 'pool' | 'pinned'>,
  member: Member,
  outgoing: ServerResponse,
): (error: Error) => void {
  let failed = false;
  member.requests += 1;
  if (!pinned) member.connections += 1;
  outgoing.once('close', () => {
    if (!pinned) member.connections -= 1;
    if (failed) pool.counters.memberFailed += 1;
    else if (outgoing.writableFinished) pool.counters.answered += 1;
    else pool.counters.clientAborted += 1;
  });
  return (error) => {
    if (outgoing.destroyed || failed) return;
    failed = true;
    if (outgoing.headersSent) outgoing.destroy();
    else refuse(outgoing, 502, `${member.name} failed: ${error.message}`);
  };
}

type PassOn = { readonly setCookie: string | undefined; readonly pinned: boolean };

function passOn(answer: IncomingMessage, outgoing: ServerResponse, { setCookie, pinned }: PassOn): void {
  for (const [name, value] of Object.entries(endToEndFields(answer))) {
    if (value !== undefined) outgoing.setHeader(name, value);
  }
  if (setCookie) outgoing.appendHeader('set-cookie', setCookie);
  // A pinned client has to follow its member when that hangs up; else it would keep a connection to nowhere.
  if (pinned && answer.headers.connection?.toLowerCase() === 'close')
    outgoing.setHeader('connection', 'close');
  outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage);
  answer.pipe(outgoing);
}

function refuse(outgoing: ServerResponse, status: number, why: string): void {
  outgoing.writeHead(status, {
    'content-type': 'text/plain',
    'x-lab-balancer': why.replaceAll(/[^ -~]/g, ' '),
  });
  outgoing.end(`${why}\n`);
}

function stop(server: Server, router: Router): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
    router.close();
  });
}
