import { mkdir, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EdgeError } from '../../domain/errors.ts';

/** A process, told from every other one that ever ran here: pids come again, a pid with its start time and boot does not. */
const schema = z.object({
  id: z.string(),
  pid: z.number(),
  /** In clock ticks since the boot, as /proc says it. */
  startTicks: z.string(),
  bootId: z.string(),
  /** Empty where the machine has none. */
  hostId: z.string(),
  /** Pids of another namespace (a container) say nothing here. */
  pidNamespace: z.string(),
});
type ProcessRecord = z.infer<typeof schema>;

export type Incarnation = {
  /** Names this process in leases, and no other one ever. */
  readonly id: string;
  /** No other living process of its role has it on this host; the next one may. */
  readonly name: string;
  /** Ids of earlier incarnations that are proven to be gone: their leases need not be waited for (contract C9). */
  readonly gone: readonly string[];
};

/** Records of gone incarnations are kept for this many starts; by then their leases have long run out. */
const KEEP_RECORDS = 32;

type Place = {
  /** Where the records of all names of one role are, on the process's own machine. */
  readonly folder: string;
  readonly host: string;
  readonly name: string;
};

/**
 * Takes a name for this process, and finds out which earlier incarnations are dead for certain. Rejects with
 * `data_folder_busy` when one of them lives.
 */
export async function openIncarnation(place: Place): Promise<Incarnation> {
  const folder = join(place.folder, place.name);
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
  return { id: self.id, name: place.name, gone: dead.slice(0, KEEP_RECORDS).map(({ record }) => record.id) };
}

/** Of several processes of one role that share a folder, none of which has a name of its own. */
const MOST_NUMBERS = 8;

/** As `openIncarnation` with the first of `<name>-1`, `<name>-2` … that no living process has. */
export async function openFirstFree(place: Place): Promise<Incarnation> {
  for (let number = 1; ; number += 1) {
    try {
      return await openIncarnation({ ...place, name: `${place.name}-${number}` });
    } catch (error) {
      const isTaken = error instanceof EdgeError && error.code === 'data_folder_busy';
      if (!isTaken || number === MOST_NUMBERS) throw error;
    }
  }
}

const busy = (name: string, { pid }: ProcessRecord): EdgeError =>
  new EdgeError('data_folder_busy', `${name} runs with this folder already, as process ${pid}`, {
    hint: 'End it, or give this one another name.',
  });

/** Of two that start at once and see each other, the one that goes on. */
function isFirst(a: ProcessRecord, b: ProcessRecord): boolean {
  const ticks = BigInt(a.startTicks) - BigInt(b.startTicks);
  return ticks < 0n || (ticks === 0n && a.pid < b.pid);
}

/** `unsure`: another machine or another namespace; then nothing is proven, and leases run out by themselves. */
async function fateOf(before: ProcessRecord, self: ProcessRecord): Promise<'alive' | 'gone' | 'unsure'> {
  if (before.bootId !== self.bootId) {
    return before.hostId !== '' && before.hostId === self.hostId ? 'gone' : 'unsure';
  }
  if (before.pidNamespace !== self.pidNamespace) return 'unsure';
  return (await startTicksOf(before.pid)) === before.startTicks ? 'alive' : 'gone';
}

async function thisProcess(name: string): Promise<ProcessRecord> {
  const { pid } = process;
  const startTicks = await startTicksOf(pid);
  const bootId = await firstLine('/proc/sys/kernel/random/boot_id');
  if (startTicks === undefined || bootId === '') {
    throw new EdgeError('settings_invalid', 'Edge needs /proc, to tell its processes from every other one', {
      hint: 'Run it on Linux, with /proc mounted.',
    });
  }
  const hostId = await firstLine('/etc/machine-id');
  const pidNamespace = await readlink('/proc/self/ns/pid').catch(() => '');
  const id = `${name}/${bootId.slice(0, 8)}-${startTicks}-${pid}`;
  return { id, pid, startTicks, bootId, hostId, pidNamespace };
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
  readonly record: ProcessRecord;
  readonly fate: 'alive' | 'gone' | 'unsure';
};

/** Records of other incarnations, newest first. A record that cannot be read proves nothing and is left alone. */
async function othersIn(folder: string, self: ProcessRecord): Promise<readonly Other[]> {
  const others: Other[] = [];
  for (const file of await readdir(folder)) {
    const record = file.endsWith('.json') ? await recordIn(join(folder, file)) : undefined;
    if (!record || record.id === self.id) continue;
    others.push({ file, record, fate: await fateOf(record, self) });
  }
  return others.toSorted((a, b) => (isFirst(a.record, b.record) ? 1 : -1));
}

async function recordIn(path: string): Promise<ProcessRecord | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}
