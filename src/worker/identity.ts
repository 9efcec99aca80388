import { mkdir, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EdgeError } from '../domain/errors.ts';
import { type WorkerId, workerId } from '../domain/ids.ts';

/** A process, told from every other one that ever ran here: pids come again, a pid with its start time and boot does not. */
const incarnation = z.object({
  worker: z.string(),
  pid: z.number(),
  /** In clock ticks since the boot, as /proc says it. */
  startTicks: z.string(),
  bootId: z.string(),
  /** Empty where the machine has none. */
  hostId: z.string(),
  /** Pids of another namespace (a container) say nothing here. */
  pidNamespace: z.string(),
});
type Incarnation = z.infer<typeof incarnation>;

export type WorkerIdentity = {
  readonly worker: WorkerId;
  /** Earlier incarnations that are proven to be gone: their leases need not be waited for (contract C9). */
  readonly gone: readonly WorkerId[];
};

/** Records of gone incarnations are kept for this many starts; by then the board has long forgotten them. */
const KEEP_RECORDS = 32;

/**
 * Takes the name `name` for this process, in `folder` (of the worker's own machine), and finds out which earlier
 * incarnations are dead for certain. Rejects with `data_folder_busy` when one of them lives.
 */
export async function openIdentity(place: {
  readonly folder: string;
  readonly host: string;
  readonly name: string;
}): Promise<WorkerIdentity> {
  const folder = join(place.folder, 'workers', place.name);
  await mkdir(folder, { recursive: true });
  const self = await thisProcess(`${place.host}/${place.name}`);
  const own = `${self.bootId.slice(0, 8)}-${self.startTicks}-${self.pid}.json`;
  const earlier = await othersIn(folder, self);
  const living = earlier.find(({ fate }) => fate === 'alive');
  if (living) throw busy(place.name, living.record);
  await writeWhole(join(folder, own), JSON.stringify(self));
  const rival = (await othersIn(folder, self)).find(
    ({ record, fate }) => fate === 'alive' && isFirst(record, self),
  );
  if (rival) {
    await rm(join(folder, own), { force: true });
    throw busy(place.name, rival.record);
  }
  const dead = earlier.filter(({ fate }) => fate === 'gone');
  for (const { file } of dead.slice(KEEP_RECORDS)) await rm(join(folder, file), { force: true });
  return {
    worker: workerId(self.worker),
    gone: dead.slice(0, KEEP_RECORDS).map(({ record }) => workerId(record.worker)),
  };
}

const busy = (name: string, { pid }: Incarnation): EdgeError =>
  new EdgeError(
    'data_folder_busy',
    `A worker named ${name} runs with this folder already, as process ${pid}`,
    {
      hint: 'End it, or give this one another name.',
    },
  );

/** Of two that start at once and see each other, the one that goes on. */
function isFirst(a: Incarnation, b: Incarnation): boolean {
  const ticks = BigInt(a.startTicks) - BigInt(b.startTicks);
  return ticks < 0n || (ticks === 0n && a.pid < b.pid);
}

/** `unsure`: another machine or another namespace; then nothing is proven, and leases run out by themselves. */
async function fateOf(before: Incarnation, self: Incarnation): Promise<'alive' | 'gone' | 'unsure'> {
  if (before.bootId !== self.bootId) {
    return before.hostId !== '' && before.hostId === self.hostId ? 'gone' : 'unsure';
  }
  if (before.pidNamespace !== self.pidNamespace) return 'unsure';
  return (await startTicksOf(before.pid)) === before.startTicks ? 'alive' : 'gone';
}

async function thisProcess(name: string): Promise<Incarnation> {
  const { pid } = process;
  const startTicks = await startTicksOf(pid);
  const bootId = await firstLine('/proc/sys/kernel/random/boot_id');
  if (startTicks === undefined || bootId === '') {
    throw new EdgeError(
      'settings_invalid',
      'A worker needs /proc, to tell its process from every other one',
      {
        hint: 'Run workers on Linux, with /proc mounted.',
      },
    );
  }
  const hostId = await firstLine('/etc/machine-id');
  const pidNamespace = await readlink('/proc/self/ns/pid').catch(() => '');
  const worker = `${name}/${bootId.slice(0, 8)}-${startTicks}-${pid}`;
  return { worker, pid, startTicks, bootId, hostId, pidNamespace };
}

/** When a process started; `undefined` when there is none, or only its remains (a zombie does nothing any more). */
async function startTicksOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // proc(5): the name may hold spaces and brackets
  const [state] = fields;
  return state === 'Z' || state === 'X' ? undefined : fields[19];
}

const firstLine = async (path: string): Promise<string> =>
  (await readFile(path, 'utf8').catch(() => '')).split('\n')[0]?.trim() ?? '';

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
}

type Other = {
  readonly file: string;
  readonly record: Incarnation;
  readonly fate: 'alive' | 'gone' | 'unsure';
};

/** Records of other incarnations, newest first. A record that cannot be read proves nothing and is left alone. */
async function othersIn(folder: string, self: Incarnation): Promise<readonly Other[]> {
  const others: Other[] = [];
  for (const file of await readdir(folder)) {
    const record = file.endsWith('.json') ? await recordIn(join(folder, file)) : undefined;
    if (!record || record.worker === self.worker) continue;
    others.push({ file, record, fate: await fateOf(record, self) });
  }
  return others.toSorted((a, b) => (isFirst(a.record, b.record) ? 1 : -1));
}

async function recordIn(path: string): Promise<Incarnation | undefined> {
  try {
    return incarnation.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}
