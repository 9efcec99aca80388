import type { Output } from '../api/contract.ts';
import { counted } from './format.ts';
import { capacityLines } from './view/capacity-lines.ts';
import type { Line } from './view/line.ts';

/** A plan for people: what the server explains of it, its capacity as a picture, and the hash that an approval is bound to. */
export function planLines({ text, hash, explained, changes }: Output<'plan'>): readonly (string | Line)[] {
  const picture = capacityLines(explained);
  const parts = [[text.trimEnd()], changesLines(changes), picture].filter((lines) => lines.length > 0);
  return [...parts.flatMap((lines) => [...lines, '']), `hash ${hash}`];
}

/** What people ask before they say yes, and afterwards; nothing where no release says what it was built from. */
export function changesLines(changes: Output<'plan'>['changes']): readonly string[] {
  const { tickets = [], authors = [], commits = null } = changes ?? {};
  if (!changes || (tickets.length === 0 && commits === null)) return [];
  const { since, direction, releases } = changes;
  const between = since === null ? '' : direction === 'back' ? ` from ${since}` : ` since ${since}`;
  const told = tickets.length > 0 ? tickets.join(', ') : 'no ticket';
  return [
    `${direction === 'back' ? 'takes back' : 'brings'} ${counted(releases.length, 'release')}${between}: ${told}` +
      (authors.length > 0 ? ` (by ${authors.join(', ')})` : ''),
    ...(commits ? [`commits ${short(commits.from)}..${short(commits.to)} of ${commits.repository}`] : []),
  ];
}

const short = (commit: string): string => commit.slice(0, 12);
