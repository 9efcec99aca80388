import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How often each command was started, as the hosts themselves wrote it down. Keys are ids of detached tasks. */
export type StartCount = {
  readonly starts: ReadonlyMap<string, number>;
  readonly startedMoreThanOnce: readonly string[];
};

/** In a host's folder; one line `<task id> <program>` for each start (see `ssh-host-programs.ts`). */
export const STARTED_LOG = 'started.log';

/** Counts the starts that the hosts in these folders wrote down. */
export async function countStarts(folders: readonly string[]): Promise<StartCount> {
  const logs = await Promise.all(folders.map(readLog));
  const starts = new Map<string, number>();
  for (const line of logs.join('').split('\n')) {
    const [task = ''] = line.split(' ');
    if (task !== '') starts.set(task, (starts.get(task) ?? 0) + 1);
  }
  const startedMoreThanOnce = [...starts].filter(([, count]) => count > 1).map(([task]) => task);
  return { starts, startedMoreThanOnce };
}

async function readLog(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, STARTED_LOG), 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
