import type { MemoryHosts } from '../adapters/memory/hosts.ts';
import { createMemoryMetrics } from '../adapters/memory/metrics.ts';
import { createMemoryStatistics } from '../adapters/memory/statistics.ts';
import { placeText } from '../domain/artifact.ts';
import { EdgeError } from '../domain/errors.ts';
import type { ActionPorts } from '../ports/action.ts';
import type { HostKeys } from '../ports/host-keys.ts';
import type { Hosts, RunOptions } from '../ports/hosts.ts';
import type { LoadBalancer } from '../ports/load-balancer.ts';
import type { Probe } from '../ports/probe.ts';
import type { Draw } from './draw.ts';
import type { Faults } from './faults.ts';
import type { Life } from './life.ts';
import { call, type Link, type Trip, wired } from './link.ts';
import type { Measuring } from './measuring.ts';
import type { Schedule } from './schedule.ts';
import type { World } from './world.ts';

export type OutsideParts = {
  readonly schedule: Schedule;
  readonly draw: Draw;
  readonly faults: Faults;
  readonly world: World;
  /** Left out where nobody has measured anything. */
  readonly measuring?: Measuring;
};

/** Adapters end a call that gets no answer after this (keepalive 10 s x 3 and a connect, of SSH; 30 s of a balancer). */
const HOST_DEADLINE_MS = 60_000;
const BALANCER_DEADLINE_MS = 30_000;
/** A request that is under way for longer than this, after the death of who sent it, is not promised against (IN_FLIGHT_MS). */
const SLOW_REQUEST_MS = 1_900;
/** A value that must never be seen anywhere (invariant I14). */
export const CANARY_SECRET = 'canary-7f3a9c51d2e84b60';

/** What a process reaches hosts, balancers and health pages with. */
export function outsideOf(life: Life, parts: OutsideParts): ActionPorts & { readonly hosts: HostKeys } {
  const devices = new Map<string, LoadBalancer>();
  return {
    hosts: hostsOf(life, parts),
    balancer: async (config) => {
      const name = parts.world.manner.deviceOf(config);
      const device = devices.get(name) ?? balancerOf(life, parts, name);
      devices.set(name, device);
      return device;
    },
    // Nobody counts anything.
    statistics: async () => createMemoryStatistics({}, life.clock),
    metrics: async ({ timeoutMs, delayMs }) =>
      parts.measuring?.source(life, { timeoutMs, delayMs }) ??
      createMemoryMetrics({ clock: life.clock, timeoutMs, delayMs }),
    probe: probeOf(life, parts),
    secrets: { resolve: async () => CANARY_SECRET },
    // Whatever a plan names is there.
    artifacts: {
      hold: (artifact, _asked, use) => {
        const { sha256, sizeBytes } = artifact;
        return use({ sha256, sizeBytes, localPath: placeText(artifact) });
      },
    },
    clock: life.clock,
  };
}

function balancerOf(life: Life, { schedule, draw, faults, world }: OutsideParts, name: string): LoadBalancer {
  const trip = (method: string): Trip => {
    // A slow device mostly answers late what it has done at once.
    const isSlow = faults.strikes('balancer.slow');
    const requestMs = isSlow ? draw.int(20, SLOW_REQUEST_MS) : draw.int(1, 20);
    const way = { requestMs, replyMs: isSlow ? draw.skewed(500, 20_000) : draw.int(1, 20) };
    if (method !== 'members' && faults.strikes('balancer.queues'))
      return { requestMs: draw.int(5_000, BALANCER_DEADLINE_MS - 1_000), replyMs: 1, isQueued: true };
    if (faults.strikes('balancer.refused')) return { ...way, lost: 'refused' };
    if (faults.strikes('balancer.request-lost')) return { ...way, lost: 'request' };
    return faults.strikes('balancer.reply-lost') ? { ...way, lost: 'reply' } : way;
  };
  const link: Link = { code: 'balancer_unreachable', deadlineMs: BALANCER_DEADLINE_MS, trip };
  const now = () => wired(world.device(name, sender()), { schedule, faults, life, link });
  const sender = () => ({ process: life.name, sentAtMs: schedule.nowMs });
  return {
    members: (pool, signal) => now().members(pool, signal),
    disable: async (member, to, signal, mayWrite) => {
      mayWrite?.();
      return now().disable(member, to, signal);
    },
    restore: async (member, asFound, signal, mayWrite) => {
      mayWrite?.();
      return now().restore(member, asFound, signal);
    },
    close: () => now().close(),
  };
}

function hostsOf(life: Life, parts: OutsideParts): Hosts & HostKeys {
  const { schedule, draw, faults, world } = parts;
  const trip = (): Trip => {
    const requestMs = faults.strikes('host.slow') ? draw.int(200, 15_000) : draw.int(1, 20);
    const way = { requestMs, replyMs: draw.int(1, 20) };
    if (faults.strikes('host.refused')) return { ...way, lost: 'refused' };
    return faults.strikes('host.half-open') ? { ...way, lost: draw.chance(0.5) ? 'request' : 'reply' } : way;
  };
  const link: Link = { code: 'host_unreachable', deadlineMs: HOST_DEADLINE_MS, trip };
  const hosts = wired<Hosts & HostKeys>(world.hosts, { schedule, faults, life, link });
  return new Proxy(hosts, {
    get: (target, name) => (name === 'run' ? runOf(life, parts, link) : Reflect.get(target, name)),
  });
}

/** `run` lasts as long as its command: the connection may be cut at any moment of it, and the command goes on. */
function runOf(life: Life, { schedule, draw, faults, world }: OutsideParts, link: Link): MemoryHosts['run'] {
  return async (host, task, options) => {
    const cut = new AbortController();
    if (faults.strikes('host.cut'))
      schedule.after(draw.skewed(10, 20_000), () => cut.abort(cutOff(host.name)));
    const signal = AbortSignal.any([options.signal, cut.signal]);
    let isOver = false;
    // As an adapter does: nobody is called back by a call that has ended.
    const back = <T>(call: () => Promise<T>): Promise<T> => life.enter(() => (isOver ? never<T>() : call()));
    const inside: RunOptions = {
      ...options,
      signal,
      onDispatch: (identity) => back(() => options.onDispatch(identity)),
      onOutput: (chunk) => back(() => options.onOutput(chunk)),
    };
    const perform = () => world.hosts.run(host, task, inside);
    const trip = link.trip('run');
    const deadlineMs = trip.lost ? HOST_DEADLINE_MS : NO_DEADLINE_MS;
    const wiring = { schedule, faults, life, link: { ...link, deadlineMs, trip: () => trip } };
    try {
      return await call(wiring, 'run', { perform, signal });
    } finally {
      isOver = true;
    }
  };
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** A command may take for ever, and its connection lasts as long: only one that is half open is found out by its keepalive. */
const NO_DEADLINE_MS = 24 * 3_600_000;

const cutOff = (host: string): EdgeError =>
  new EdgeError('host_unreachable', `the connection to ${host} was cut`);

function probeOf(life: Life, { schedule, draw, faults, world }: OutsideParts): Probe {
  const link: Link = {
    code: 'host_unreachable',
    deadlineMs: 5_000,
    trip: () => ({ requestMs: draw.int(1, 20), replyMs: draw.int(1, 20) }),
  };
  const probe: Probe = {
    http: async ({ url }) => world.probe(url),
    tcp: async (address, port) => world.connect(address, port),
  };
  return wired(probe, { schedule, faults, life, link });
}
