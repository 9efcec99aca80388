import type { Output } from '../api/contract.ts';
import { oneLine } from '../lib/inert-text.ts';
import { counted } from '../words/format.ts';
import { capacityLines } from './view/capacity-lines.ts';
import type { Line } from './view/line.ts';

type Shown = Pick<Output<'plan'>, 'text' | 'hash' | 'explained' | 'changes'>;

/** A plan for people: what the server explains of it, its capacity as a picture, and the hash that an approval is bound to. */
export function planLines({ text, hash, explained, changes }: Shown): readonly (string | Line)[] {
  const picture = capacityLines(explained);
  const parts = [[text.trimEnd()], changesLines(changes), picture].filter((lines) => lines.length > 0);
  return [...parts.flatMap((lines) => [...lines, '']), `hash ${hash}`];
}

type Changes = NonNullable<Output<'plan'>['changes']>;
type ChangeSet = NonNullable<Changes['brings']>;

/** What people ask before they say yes, and afterwards; nothing where no release says what it was built from. */
export function changesLines(changes: Changes | null): readonly string[] {
  return [
    ...(changes?.brings ? changeLines('brings', changes.brings) : []),
    ...(changes?.takesBack ? changeLines('takes back', changes.takesBack) : []),
  ];
}

function changeLines(
  what: string,
  { after, releases, tickets, authors, commits }: ChangeSet,
): readonly string[] {
  if (tickets.length === 0 && authors.length === 0 && commits === null) return [];
  const since = after === null ? '' : ` after ${after}`;
  const by = authors.length > 0 ? ` (by ${some(authors)})` : '';
  return [
    `${what} ${counted(releases, 'release')}${since}: ${tickets.length > 0 ? some(tickets) : 'no ticket'}${by}`,
    ...(commits
      ? [`  commits ${short(commits.after)}..${short(commits.upTo)} of ${oneLine(commits.repository)}`]
      : []),
  ];
}

const MOST_SHOWN = 20;

function some(names: readonly string[]): string {
  const more = names.length - MOST_SHOWN;
  return [...names.slice(0, MOST_SHOWN).map(oneLine), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

const short = (commit: string): string => commit.slice(0, 12);
