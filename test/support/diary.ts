import { readFile } from 'node:fs/promises';

/** The times, in ms since the epoch, between which a target was worked on; by the clock of its host. */
export type Work = { readonly name: string; readonly from: number; readonly to: number };

/** Reads what start commands have written down, in the order in which they began. */
export async function readDiary(file: string): Promise<readonly Work[]> {
  const diary = await readFile(file, 'utf8').catch(() => '');
  const works: Work[] = [];
  for (const [, name = '', what, at] of diary.matchAll(/^(\S+) (from|to) (\d+)$/gm)) {
    if (what === 'from') works.push({ name, from: Number(at), to: Number.POSITIVE_INFINITY });
    const open = works.findLastIndex((work) => work.name === name);
    const begun = works[open];
    if (what === 'to' && begun) works[open] = { ...begun, to: Number(at) };
  }
  return works;
}
