import type { HostKeyRow } from '../api/contract.ts';
import { dateAndTime } from '../words/format.ts';
import { errorLines } from './error-lines.ts';
import { type Line, line, span, type Tone } from './view/line.ts';

const MARKS: Readonly<Record<HostKeyRow['verdict'], readonly [mark: string, tone: Tone]>> = {
  trusted: ['✓', 'good'],
  new: ['+', 'warn'],
  changed: ['!', 'bad'],
  unseen: ['✗', 'bad'],
};

/** Every host with the key that it showed, and what is known of it. */
export function hostKeyLines(hosts: readonly HostKeyRow[]): readonly Line[] {
  const names = Math.max(0, ...hosts.map(({ name }) => name.length));
  const places = Math.max(0, ...hosts.map((row) => placeOf(row).length));
  const isAsked = hosts.some((row) => row.jump && isNew(row));
  return hosts.flatMap((row) => {
    const [mark, tone] = MARKS[row.verdict];
    const { name, shown, problem } = row;
    const key = shown ? `  ${shown.type} ${shown.fingerprint}` : '';
    const about = `  ${placeOf(row).padEnd(places)}${key}  `;
    const first = [
      span(`${mark} `, tone),
      span(name.padEnd(names)),
      span(about, 'dim'),
      span(knownAs(row), tone),
    ];
    // What a question deals with at once needs no advice.
    const advice = problem && !isNew(row) && !(isAsked && waits(row)) ? errorLines(problem) : [];
    return [first, ...advice.map((text) => line(`    ${text}`, 'bad'))];
  });
}

const isNew = ({ verdict, by }: HostKeyRow): boolean => verdict === 'new' && by === null;

/** Behind a jump host whose key is not known yet. */
const waits = ({ verdict, problem }: HostKeyRow): boolean =>
  verdict === 'unseen' && problem?.code === 'host_key_unknown';

const placeOf = ({ address, port, jump }: HostKeyRow): string =>
  `${jump ? 'jump host ' : ''}${address}${port === null ? '' : `:${port}`}`;

function knownAs(row: HostKeyRow): string {
  const { verdict, by, recorded } = row;
  const source = by === 'record' && recorded ? `recorded by ${recorded.by} ${dateAndTime(recorded.at)}` : by;
  switch (verdict) {
    case 'trusted':
      return `known: ${source}`;
    case 'new':
      return source === null ? 'new' : `not known: ${source}`;
    case 'changed':
      return `CHANGED: ${source}`;
    case 'unseen':
      return waits(row) ? 'comes after its jump host' : 'shows no key';
    default:
      return verdict satisfies never;
  }
}

const FILES = ['ed25519', 'ecdsa', 'rsa'] as const;

/** How a person asks each host for the same fingerprints, by another way than the one that is in question. */
export function howToCompare(keys: readonly { readonly type: string }[]): readonly string[] {
  const shown = FILES.filter((file) => keys.some(({ type }) => type.includes(file)));
  return [
    'Compare each fingerprint with what the host says of itself, at its console or by who runs it:',
    ...shown.map((file) => `  ssh-keygen -lf /etc/ssh/ssh_host_${file}_key.pub`),
  ];
}
