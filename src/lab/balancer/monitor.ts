import { get } from 'node:http';
import type { Member } from './member.ts';
import type { Pool } from './pool.ts';

/** An HTTP monitor: a member is up after one answer of 200, and down after `fall` looks in a row without one. */
export type MonitorSettings = {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly fall: number;
};

export type Monitor = {
  /** Looks at every member once more, from now on; resolves when all have answered or timed out. */
  look(): Promise<void>;
  close(): void;
};

/** Looks at all members of a pool every `intervalMs`, on a fresh connection each time. A slow round is not overtaken. */
export function startMonitor(pool: Pool, settings: MonitorSettings): Monitor {
  const misses = new Map<Member, number>();
  let looking: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    while (looking) await looking;
    looking = Promise.all(pool.members.map((member) => lookAt(member, settings, misses))).then(() => {
      looking = undefined;
    });
    await looking;
  };
  const timer = setInterval(() => {
    if (!looking) void look();
  }, settings.intervalMs);
  return { look, close: () => clearInterval(timer) };
}

async function lookAt(member: Member, settings: MonitorSettings, misses: Map<Member, number>): Promise<void> {
  const passed = await answers(member, settings);
  const missed = passed ? 0 : (misses.get(member) ?? 0) + 1;
  misses.set(member, missed);
  if (passed) member.health = 'up';
  else if (missed >= settings.fall || member.health === 'checking') member.health = 'down';
}

function answers(member: Member, settings: MonitorSettings): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({
      ...member.connect,
      path: settings.path,
      agent: false,
      headers: { connection: 'close', 'user-agent': 'lab-balancer-monitor' },
      signal: AbortSignal.timeout(settings.timeoutMs),
    });
    request.once('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });
}
