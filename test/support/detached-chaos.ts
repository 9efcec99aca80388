import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EdgeError } from '../../src/domain/errors.ts';
import { forEachLimited } from '../../src/lib/concurrency.ts';
import type { HostIdentity } from '../../src/ports/hosts.ts';
import { type Case, type ChaosOptions, makeCases, missing, STARTERS } from './chaos-cases.ts';
import { type Seen, Verdict } from './chaos-verdict.ts';
import { World } from './chaos-world.ts';
import { startSshdFleet } from './sshd.ts';
import { startTcpProxy } from './tcp-proxy.ts';

/** The last five and `leftRunning` must be 0. */
export type ChaosFigures = {
  readonly seed: number;
  readonly tasks: number;
  readonly starts: number;
  readonly underSudo: number;
  readonly cuts: number;
  readonly workersKilled: number;
  readonly unreachable: number;
  readonly supervisorsKilled: number;
  readonly cancels: number;
  readonly exited: number;
  readonly unknown: number;
  readonly cancelled: number;
  readonly outputMb: number;
  readonly seconds: number;
  readonly leftRunning: number;
  readonly ranMoreThanOnce: number;
  readonly wrongExit: number;
  readonly wrongOutput: number;
  readonly falseSuccesses: number;
  readonly errors: readonly string[];
};

/** Runs the tasks and breaks what can be broken; the figures say whether a promise was. */
export async function runDetachedChaos(options: ChaosOptions): Promise<ChaosFigures> {
  const startedMs = performance.now();
  const { hosts: count, sshdPath, network } = options;
  const fleet = await startSshdFleet({ count, sshdPath, network });
  const proxies = await Promise.all(
    fleet.hosts.map((host) =>
      Promise.all(Array.from({ length: STARTERS }, () => startTcpProxy(host.address, host))),
    ),
  );
  const world = new World(fleet.hosts, proxies, options.how);
  try {
    const cases = await makeCases(options, { folder: fleet.folder, sudoUser: fleet.sudoUser });
    const verdict = new Verdict();
    await forEachLimited(cases, options.parallel, async (one) => {
      const seen = await endure(world, one).catch((error) => error);
      await verdict.judge(world, one, seen);
      await world.quiet.forget(world.address(one, 0), [one.task]).catch(() => undefined);
    });
    const sudo = cases.filter(({ task }) => task.sudoUser !== undefined).length;
    return {
      seed: options.seed,
      tasks: cases.length,
      starts: cases.length * STARTERS,
      underSudo: sudo,
      ...world.counts,
      ...verdict.counts,
      outputMb: Math.round(cases.reduce((sum, { size }) => sum + size, 0) / 1e6),
      seconds: Math.round((performance.now() - startedMs) / 1000),
      errors: verdict.errors.slice(0, 20),
    };
  } finally {
    await world.close();
    await Promise.all(proxies.flat().map((proxy) => proxy.close()));
    await fleet.stop();
  }
}

/** All starters of one task, all that breaks on the way, and what each of them saw in the end. */
async function endure(world: World, one: Case): Promise<Seen[]> {
  const deaths = Array.from({ length: STARTERS }, () => ({ controller: new AbortController() }));
  const dispatch: Dispatch = { identity: undefined };
  const starters = deaths.map((death, starter) => persist(world, one, { starter, death, dispatch }));
  const trouble = [breakThings(world, one, deaths), interfere(world, one)];
  const [seen] = await Promise.all([Promise.all(starters), ...trouble]);
  return seen;
}

type Persistence = {
  readonly starter: number;
  readonly death: { controller: AbortController };
  readonly dispatch: Dispatch;
};

/** What the database of the workers would hold of the task. */
type Dispatch = { identity: HostIdentity | undefined };

/**
 * One starter: a worker that dies is followed by another one, which knows only how many bytes are held. One that cannot reach
 * the host tries again, as the engine does with a retryable error.
 */
async function persist(world: World, one: Case, { starter, death, dispatch }: Persistence): Promise<Seen> {
  const hash = createHash('sha256');
  let bytes = 0;
  let worker = world.newWorker();
  for (;;) {
    const { controller } = death;
    const deadline = AbortSignal.timeout(Math.ceil(one.seconds) * 1000 + 240_000);
    try {
      const status = await worker.run(world.address(one, starter), one.task, {
        ...(dispatch.identity && { expect: dispatch.identity }),
        fromOffset: bytes,
        onDispatch: async (identity) => {
          dispatch.identity = identity;
        },
        onOutput: async ({ offset, data }) => {
          if (offset !== bytes) throw new Error(`a gap: offset ${offset} after ${bytes} bytes`);
          bytes += data.length;
          hash.update(data);
        },
        signal: AbortSignal.any([controller.signal, deadline]),
      });
      return { status, sha256: hash.digest('hex'), bytes };
    } catch (error) {
      if (controller.signal.aborted) worker = world.newWorker();
      else if (error instanceof EdgeError && error.code === 'host_unreachable') world.counts.unreachable += 1;
      else throw error;
    }
  }
}

async function breakThings(
  world: World,
  one: Case,
  deaths: readonly { controller: AbortController }[],
): Promise<void> {
  let now = 0;
  for (const { atMs, starter, kind } of one.breaks) {
    await wait(atMs - now);
    now = atMs;
    if (kind === 'worker') {
      const death = deaths[starter] ?? missing();
      const { controller } = death;
      death.controller = new AbortController();
      controller.abort(new Error('this worker was killed'));
      world.counts.workersKilled += 1;
    } else {
      world.counts.cuts += 1;
      if (kind === 'cut') world.proxy(one, starter).cut();
      else await world.host(one).killSessions();
    }
  }
}

async function interfere(world: World, one: Case): Promise<void> {
  if (one.fate === 'plain') return;
  await wait(one.interfereMs);
  if (one.fate === 'cancel') {
    const proof = await world.cancel(one, 500);
    if (!proof.gone) throw new Error(`cancel left something: ${proof.seen}`);
    world.counts.cancels += 1;
  } else if (await killSupervisor(world, one)) world.counts.supervisorsKilled += 1;
}

/** By the claim on the host, as soon as there is one. */
async function killSupervisor(world: World, one: Case): Promise<boolean> {
  const uid = one.task.sudoUser === undefined ? undefined : await uidOf(one.task.sudoUser);
  const folder = uid === undefined ? join(world.host(one).home, '.edge') : `/var/tmp/edge-${uid}`;
  for (let round = 0; round < 2_000; round++) {
    const claim = await readFile(join(folder, `${one.task.id}.task`), 'utf8').catch(() => '');
    if (/^exit \d/m.test(claim)) return false;
    const pid = Number(claim.split(' ')[2]);
    if (pid > 1) return kill(pid);
    await wait(10);
  }
  return false;
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the look and the kill.
    return false;
  }
}

async function uidOf(account: string): Promise<string | undefined> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  return lines.find(([name]) => name === account)?.[2];
}
