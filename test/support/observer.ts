import { get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export type ObserverSettings = {
  /** Path of HAProxy's runtime socket. */
  readonly socket: string;
  readonly backend: string;
  /** Where the application of each server answers by itself. */
  readonly appUrls: Readonly<Record<string, string>>;
  /** Servers by the name of their group: the fewest of each are counted as well. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly everyMs: number;
};

export type Observation = {
  readonly looks: number;
  /** The fewest servers that HAProxy had in service at one moment. */
  readonly lowestInService: number;
  readonly lowestByGroup: Readonly<Record<string, number>>;
  /** Servers that HAProxy had in service while their application did not answer, with what was seen first. */
  readonly deaf: Readonly<Record<string, string>>;
};

export type ServerSeen = {
  /** HAProxy sends requests to it: it runs, and no bit of maintenance or drain is set. */
  readonly isServing: boolean;
  readonly adminState: number;
  readonly weight: number;
};

export type Observer = { stop(): Promise<Observation> };

/** A look that took longer says nothing of a server that may have gone out and come back meanwhile. */
const LOOK_LIMIT_MS = 400;

/**
 * Looks from outside, with nothing of Edge's: HAProxy's own table of states over a connection of its own, then each
 * application directly, then the table again. What is in service before and after, and does not answer between, is deaf.
 */
export function startObserver(settings: ObserverSettings): Observer {
  const stopping = new AbortController();
  const seen: Seen = {
    ...{ looks: 0, lowestInService: Number.POSITIVE_INFINITY },
    ...{ lowestByGroup: new Map(), deaf: new Map() },
  };
  const watching = watch(settings, seen, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await watching;
      const { lowestByGroup, deaf } = seen;
      return { ...seen, lowestByGroup: Object.fromEntries(lowestByGroup), deaf: Object.fromEntries(deaf) };
    },
  };
}

type Seen = {
  looks: number;
  lowestInService: number;
  readonly lowestByGroup: Map<string, number>;
  readonly deaf: Map<string, string>;
};

async function watch(settings: ObserverSettings, seen: Seen, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const begin = performance.now();
    await lookOnce(settings, seen);
    const rest = settings.everyMs - (performance.now() - begin);
    if (rest > 0) await wait(rest);
  }
}

async function lookOnce(settings: ObserverSettings, seen: Seen): Promise<void> {
  const begin = performance.now();
  const before = await inService(settings);
  const answers = await Promise.all(Object.entries(settings.appUrls).map(probe));
  const after = await inService(settings);
  seen.looks += 1;
  seen.lowestInService = Math.min(seen.lowestInService, before.size, after.size);
  for (const [group, names] of Object.entries(settings.groups ?? {})) {
    const serving = [before, after].map((each) => names.filter((name) => each.has(name)).length);
    seen.lowestByGroup.set(group, Math.min(seen.lowestByGroup.get(group) ?? names.length, ...serving));
  }
  if (performance.now() - begin > LOOK_LIMIT_MS) return;
  for (const { name, why } of answers) {
    if (why !== null && before.has(name) && after.has(name) && !seen.deaf.has(name)) seen.deaf.set(name, why);
  }
}

async function inService({ socket, backend }: ObserverSettings): Promise<ReadonlySet<string>> {
  const servers = await serversOf(socket, backend);
  return new Set([...servers].flatMap(([name, { isServing }]) => (isServing ? [name] : [])));
}

/** The servers of a backend by name, as HAProxy has them at this moment. */
export async function serversOf(socket: string, backend: string): Promise<ReadonlyMap<string, ServerSeen>> {
  const [, head = '', ...rows] = (await ask(socket, `show servers state ${backend}`)).trim().split('\n');
  const columns = head.replace(/^# /, '').split(' ');
  const servers = rows.map((row): [string, ServerSeen] => {
    const cells = row.split(' ');
    const column = (name: string) => cells[columns.indexOf(name)] ?? '';
    const adminState = Number(column('srv_admin_state'));
    const isServing = column('srv_op_state') === '2' && adminState === 0;
    return [column('srv_name'), { isServing, adminState, weight: Number(column('srv_uweight')) }];
  });
  return new Map(servers);
}

/** One command over HAProxy's runtime socket, and the whole reply. */
export function ask(socket: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    connect(socket)
      .on('data', (chunk) => chunks.push(chunk))
      .on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
      .on('error', reject)
      .write(`${command}\n`);
  });
}

/** Over a connection of its own, so that none is left open that a stopping application would have to wait for. */
function probe([name, url]: readonly [string, string]): Promise<{ name: string; why: string | null }> {
  return new Promise((resolve) => {
    const end = (why: string | null) => resolve({ name, why });
    const request = get(new URL('/health', url), { agent: false, timeout: 5_000 }, (answer) => {
      answer.resume().on('end', () => end(answer.statusCode === 200 ? null : `status ${answer.statusCode}`));
      answer.on('error', (error) => end(error.message));
    });
    request.on('timeout', () => request.destroy(new Error('no answer in 5 s')));
    request.on('error', (error) => end(error.message));
  });
}
