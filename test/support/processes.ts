import { readdir, readFile } from 'node:fs/promises';
import { until } from './until.ts';

export type SeenProcess = { readonly pid: number; readonly command: string };

/** Living processes of this machine that hold `marker` in their environment or their arguments; never this one. */
export async function processesWith(marker: string): Promise<readonly SeenProcess[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const seen = await Promise.all(pids.map((pid) => look(pid, marker)));
  return seen.flatMap((each) => each ?? []);
}

/** Kills them, and those that they started meanwhile, until none is left. */
export async function killProcessesWith(marker: string): Promise<void> {
  await until(`no process holds ${marker}`, async () => {
    const found = await processesWith(marker);
    for (const { pid } of found) kill(pid);
    return found.length === 0;
  });
}

async function look(pid: number, marker: string): Promise<SeenProcess | undefined> {
  const [environment, command, stat] = await Promise.all(
    ['environ', 'cmdline', 'stat'].map((file) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '')),
  );
  if (!environment?.includes(marker) && !command?.includes(marker)) return undefined;
  // The memory of a zombie is gone: it has ended, and only its parent has not looked yet.
  if (/^\d+ \(.*\) [ZX]/s.test(stat ?? '')) return undefined;
  return { pid, command: (command ?? '').replaceAll('\0', ' ').trim() };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
