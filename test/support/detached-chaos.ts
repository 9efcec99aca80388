import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createSshHosts } from '../../src/adapters/ssh/ssh-hosts.ts';
import { remoteTaskId } from '../../src/domain/ids.ts';
import { forEachLimited } from '../../src/lib/concurrency.ts';
import type { HostAddress, HostIdentity, Hosts, RemoteStatus, RemoteTask } from '../../src/ports/hosts.ts';
import { realClock } from './clock.ts';
import { seeded } from './seeded.ts';
import { addressOf } from './ssh-world.ts';
import { type Sshd, startSshdFleet } from './sshd.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export type ChaosOptions = {
  readonly sshdPath: string;
  readonly network: string;
  readonly seed: number;
  readonly tasks: number;
  readonly hosts: number;
  readonly parallel: number;
  readonly maxSeconds: number;
  readonly maxOutputBytes: number;
  /** Tasks whose supervisor is killed, and tasks whose cancel races their start. */
  readonly kills: number;
  readonly cancels: number;
};

/** The last five and `leftRunning` must be 0. */
export type ChaosFigures = {
  readonly seed: number;
  readonly tasks: number;
  readonly starts: number;
  readonly underSudo: number;
  readonly cuts: number;
  readonly workersKilled: number;
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

/** Starts of one task at the same moment, each by a worker of its own. */
const STARTERS = 3;
const SLICES = 8;

/**
 * Writes its line, then slices of a file of random bytes with pauses between them, then that it came to its end. So what it
 * did can be told from outside: how often it ran, whether to the end, and what its output must be.
 */
const SCRIPT =
  'echo run >>"$1"; i=0; while [ $i -lt $6 ]; do tail -c "+$(($3 + i * $4 + 1))" "$2" | head -c "$4"; sleep "$5"; i=$((i + 1)); done; ' +
  'echo end >>"$1"; exit "$7"';

type Case = {
  readonly task: RemoteTask;
  readonly host: number;
  readonly record: string;
  readonly code: number;
  readonly size: number;
  readonly sha256: string;
  readonly seconds: number;
  readonly fate: 'plain' | 'kill' | 'cancel';
  /** Moments at which something breaks for one of the starters, in ms after the start. */
  readonly breaks: readonly {
    readonly atMs: number;
    readonly starter: number;
    readonly kind: 'cut' | 'kill-session' | 'worker';
  }[];
  readonly interfereMs: number;
};

type Seen = { readonly status: RemoteStatus; readonly sha256: string; readonly bytes: number };

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
  const world = new World(fleet.hosts, proxies);
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
    world.close();
    await Promise.all(proxies.flat().map((proxy) => proxy.close()));
    await fleet.stop();
  }
}

async function makeCases(
  options: ChaosOptions,
  place: { folder: string; sudoUser: string | undefined },
): Promise<Case[]> {
  const random = seeded(options.seed);
  const blob = randomBytes(options.maxOutputBytes * 2);
  const blobFile = join(place.folder, 'blob');
  await writeFile(blobFile, blob, { mode: 0o644 });
  const records = join(place.folder, 'records');
  await mkdir(records);
  await chmod(records, 0o1777);
  return Array.from({ length: options.tasks }, (_, n) => {
    // Most outputs are small and a few large, as in life.
    const slice = Math.floor((random() ** 3 * options.maxOutputBytes) / SLICES);
    const from = Math.floor(random() * options.maxOutputBytes);
    const seconds = random() * options.maxSeconds;
    const code = random() < 0.5 ? 0 : 1 + Math.floor(random() * 254);
    const record = join(records, String(n));
    const size = slice * SLICES;
    const words = [record, blobFile, from, slice, (seconds / SLICES).toFixed(3), SLICES, code];
    const breaks = Array.from({ length: 1 + Math.floor(random() * 5) }, () => ({
      atMs: random() * (seconds * 1000 + 500),
      starter: Math.floor(random() * STARTERS),
      kind: pick(random(), ['cut', 'cut', 'cut', 'kill-session', 'worker'] as const),
    }));
    return {
      task: {
        id: remoteTaskId(
          createHash('sha256').update(`${options.seed}/${n}/${place.folder}`).digest('hex').slice(0, 32),
        ),
        argv: ['sh', '-c', SCRIPT, 'sh', ...words.map(String)],
        env: {},
        secrets: [],
        outputLimitBytes: options.maxOutputBytes + 1_000,
        ...(n % 2 === 1 && place.sudoUser !== undefined && { sudoUser: place.sudoUser }),
      },
      host: n % options.hosts,
      record,
      code,
      size,
      sha256: createHash('sha256')
        .update(blob.subarray(from, from + size))
        .digest('hex'),
      seconds,
      fate: n < options.kills ? 'kill' : n < options.kills + options.cancels ? 'cancel' : 'plain',
      breaks: breaks.sort((a, b) => a.atMs - b.atMs),
      interfereMs: n < options.kills ? random() * seconds * 1000 : random() * 60,
    };
  });
}

/** Hosts, the networks of the starters, and the workers, which are replaced when they die. */
class World {
  readonly counts = { cuts: 0, workersKilled: 0, supervisorsKilled: 0, cancels: 0 };
  readonly quiet: Hosts;
  readonly #hosts: readonly Sshd[];
  readonly #proxies: readonly (readonly TcpProxy[])[];
  readonly #workers: (Hosts & { close(): void })[] = [];

  constructor(hosts: readonly Sshd[], proxies: readonly (readonly TcpProxy[])[]) {
    this.#hosts = hosts;
    this.#proxies = proxies;
    this.quiet = this.newWorker();
  }

  newWorker(): Hosts {
    const worker = createSshHosts({ clock: realClock, random: Math.random, reconnectForMs: 300_000 });
    this.#workers.push(worker);
    return worker;
  }

  address(one: Case, starter: number): HostAddress {
    return addressOf(this.host(one), this.proxy(one, starter).port);
  }

  host(one: Case): Sshd {
    return this.#hosts[one.host] ?? missing();
  }

  proxy(one: Case, starter: number): TcpProxy {
    return this.#proxies[one.host]?.[starter] ?? missing();
  }

  close(): void {
    for (const worker of this.#workers) worker.close();
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

/** One starter: a worker that dies is followed by another one, which knows only how many bytes are held. */
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
      if (!controller.signal.aborted) throw error;
      worker = world.newWorker();
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
    const proof = await world.newWorker().cancel(world.address(one, 0), one.task, 500);
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

class Verdict {
  readonly counts = {
    exited: 0,
    unknown: 0,
    cancelled: 0,
    leftRunning: 0,
    ranMoreThanOnce: 0,
    wrongExit: 0,
    wrongOutput: 0,
    falseSuccesses: 0,
  };
  readonly errors: string[] = [];

  /** Against what the task itself wrote down, and after all that could still run has had time to. */
  async judge(world: World, one: Case, seen: Seen[] | Error): Promise<void> {
    if (seen instanceof Error) this.#blame('wrongExit', one, `${seen.message}`);
    else for (const each of seen) await this.#judgeStarter(one, each);
    if (one.fate === 'kill') await this.#stopOrphan(world, one);
    const lines = await linesOf(one.record);
    if (lines.filter((line) => line === 'run').length > 1)
      this.#blame('ranMoreThanOnce', one, 'it ran twice');
    const [first] = seen instanceof Error ? [] : seen;
    const kind = first?.status.kind;
    if (kind === 'exited' || kind === 'unknown' || kind === 'cancelled') this.counts[kind] += 1;
  }

  async #judgeStarter(one: Case, { status, sha256, bytes }: Seen): Promise<void> {
    const said = `${one.fate}: ${JSON.stringify(status)}, ${bytes} of ${one.size} bytes`;
    const lines = await linesOf(one.record);
    if (status.kind === 'exited') {
      const wasEnded = one.fate === 'cancel' && (status.code === 143 || status.code === 137);
      if (!wasEnded && status.code !== one.code) this.#blame('wrongExit', one, said);
      if (status.code === 0 && !lines.includes('end')) this.#blame('falseSuccesses', one, said);
      if (status.outputBytes !== bytes || (!wasEnded && sha256 !== one.sha256))
        this.#blame('wrongOutput', one, said);
    } else if (status.kind === 'cancelled' && one.fate === 'cancel') {
      if (lines.length > 0) this.#blame('wrongExit', one, `${said}, but it ran`);
    } else if (status.kind !== 'unknown' || one.fate !== 'kill') this.#blame('wrongExit', one, said);
  }

  async #stopOrphan(world: World, one: Case): Promise<void> {
    const proof = await world.quiet.cancel(world.address(one, 0), one.task, 100);
    if (!proof.gone) this.#blame('leftRunning', one, proof.seen);
  }

  #blame(
    what: 'leftRunning' | 'ranMoreThanOnce' | 'wrongExit' | 'wrongOutput' | 'falseSuccesses',
    one: Case,
    why: string,
  ): void {
    this.counts[what] += 1;
    this.errors.push(`${what}, task ${one.task.id}${one.task.sudoUser ? ' under sudo' : ''}: ${why}`);
  }
}

async function linesOf(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
}

function pick<T>(random: number, items: readonly T[]): T {
  return items[Math.floor(random * items.length)] ?? missing();
}

function missing(): never {
  throw new Error('there is none of that number');
}
