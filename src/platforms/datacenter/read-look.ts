import type { Drift, Look } from '../../domain/drift.ts';
import { NOTED } from './install-script.ts';
import { MOST_MODES } from './look-script.ts';

/** A property file as it was put there; `sha256` is `null` where this worker cannot say what is in it, and `why` says so. */
export type WantedFile = {
  readonly path: string;
  readonly mode: string;
  readonly hasSecret: boolean;
} & ({ readonly sha256: string } | { readonly sha256: null; readonly why: string });

export type Wanted = {
  readonly release: string;
  readonly hash: string;
  readonly files: readonly WantedFile[];
  /** Why nothing is said of the files of artifacts; left out: it is. */
  readonly withoutArtifacts?: string;
};

/** What of the outputs of a task is for what; `OUTCOME_LIMIT_BYTES` is for all of it. */
const BYTES = { differs: 9_000, unknown: 2_000, added: 3_000 };

/**
 * What the words of the script on a host mean, against what was put there. What it did not say is unknown: only what was seen is
 * called the same.
 */
export function readLook(text: string, wanted: Wanted): Look {
  const said = sectionsOf(text);
  const findings = new Findings();
  if (lookAtRelease(said.get('') ?? [], wanted, findings)) {
    lookAtFiles(said.get('property files') ?? [], wanted, findings);
    if (wanted.withoutArtifacts !== undefined) findings.unknown.push(wanted.withoutArtifacts);
    else lookAtArtifacts(said, wanted, findings);
  }
  return findings.fitting();
}

class Findings {
  readonly differs: Drift[] = [];
  readonly unknown: string[] = [];
  readonly added: string[] = [];

  fitting(): Look {
    const cut = this.differs.map((drift) => ({ ...drift, path: shortened(drift.path) }));
    const differs = fitting(cut, BYTES.differs);
    const added = fitting(this.added.toSorted().map(shortened), BYTES.added);
    const unknown = fitting(this.unknown.map(shortened), BYTES.unknown);
    const more = this.unknown.length - unknown.length;
    return {
      ...{ differs, moreDiffers: this.differs.length - differs.length },
      unknown: more === 0 ? unknown : [...unknown, `and ${more} more that could not be looked at`],
      ...{ added, moreAdded: this.added.length - added.length },
    };
  }
}

const shortened = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);

function fitting<T>(items: readonly T[], bytes: number): T[] {
  let left = bytes;
  const end = items.findIndex((item) => {
    left -= Buffer.byteLength(JSON.stringify(item)) + 1;
    return left < 0;
  });
  return items.slice(0, end === -1 ? items.length : end);
}

function sectionsOf(text: string): ReadonlyMap<string, readonly string[]> {
  let lines: string[] = [];
  const sections = new Map([['', lines]]);
  for (const line of text.split('\n')) {
    const [, name] = /^\[([a-z ]+)\]$/.exec(line) ?? [];
    if (name === undefined) {
      if (line !== '') lines.push(line);
    } else {
      lines = [];
      sections.set(name, lines);
    }
  }
  return sections;
}

/** The link, the folder and its mark. `false`: there is no more to look at. */
function lookAtRelease(
  lines: readonly string[],
  { release, hash }: Wanted,
  { differs, unknown }: Findings,
): boolean {
  const after = (word: string) => lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1);
  const folder = `releases/${release}`;
  const barred = after('barred');
  const current = after('current');
  const what = { what: 'current', path: 'current' } as const;
  if (lines.includes('no current')) differs.push({ ...what, how: 'missing' });
  else if (current === '') unknown.push('the link current cannot be read');
  else if (current === 'is no link') differs.push({ ...what, how: 'changed' });
  else if (current !== undefined && current !== folder && !lines.includes('same'))
    differs.push({ ...what, how: 'elsewhere', found: shortened(current), wanted: folder });
  if (barred !== undefined) {
    unknown.push(`${barred} may not be entered`);
    return false;
  }
  const mark = after('mark');
  if (mark === hash) return true;
  if (lines.includes('gone')) differs.push({ what: 'release', path: folder, how: 'missing' });
  else if (mark === undefined || mark === 'unreadable') unknown.push(`the mark of ${folder} cannot be read`);
  else differs.push({ what: 'release', path: folder, how: 'changed' });
  return mark !== undefined;
}

const padded = (mode: string): string => mode.padStart(4, '0');

function lookAtFiles(lines: readonly string[], { files }: Wanted, { differs, unknown }: Findings): void {
  const modes = new Map<string, string>();
  const sums = new Map<string, string>();
  const others = new Map<string, 'missing' | 'changed'>();
  for (const line of lines) {
    const [, sum, ofSum = ''] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    const [, mode, ofMode = ''] = /^mode ([0-7]+) (.+)$/.exec(line) ?? [];
    const [, other, ofOther = ''] = /^(missing|other) (.+)$/.exec(line) ?? [];
    if (sum !== undefined) sums.set(ofSum, sum);
    else if (mode !== undefined) modes.set(ofMode, padded(mode));
    else if (other !== undefined) others.set(ofOther, other === 'missing' ? 'missing' : 'changed');
  }
  for (const file of files) {
    const { path } = file;
    const what = { what: 'property-file', path } as const;
    const [sum, mode, other] = [sums.get(path), modes.get(path), others.get(path)];
    const wanted = padded(file.mode);
    if (other !== undefined) differs.push({ ...what, how: other });
    if (mode !== undefined && mode !== wanted) differs.push({ ...what, how: 'mode', found: mode, wanted });
    if (other !== undefined) continue;
    if (sum === undefined || mode === undefined) unknown.push(`${path} cannot be read`);
    else if (file.sha256 === null) unknown.push(file.why);
    else if (sum !== file.sha256)
      differs.push({ ...what, how: 'changed', ...(file.hasSecret && { secret: true }) });
  }
}

const NOT_NOTED = 'files of artifacts: what this release was made of was not noted when it was put there';
const NOT_WHOLE = 'files of artifacts: what was noted of them is not as it was noted';
const CUT = 'files of artifacts: their list could not be read to its end';

function lookAtArtifacts(
  said: ReadonlyMap<string, readonly string[]>,
  { files }: Wanted,
  findings: Findings,
): void {
  if (said.has('not noted')) return void findings.unknown.push(NOT_NOTED);
  if (said.has('not whole')) return void findings.unknown.push(NOT_WHOLE);
  const lines = said.get('modes') ?? [];
  const isWhole = lines.some((line) => /^ *1 listed$/.test(line)) && lines.length < MOST_MODES;
  if (!isWhole) findings.unknown.push(CUT);
  const own = new Set(files.map(({ path }) => path));
  const places = placesOf(lines);
  const sums = failedSums(said.get('sums') ?? []);
  const isSure = isWhole && places.problems.length === 0;
  const told = new Set<string>();
  for (const [path, { before, now }] of places.of) {
    if (own.has(path)) continue;
    if (!before) findings.added.push(path);
    else if (now) {
      const drift = other(path, before, now);
      if (drift.how === 'changed') told.add(path);
      findings.differs.push(drift);
    } else if (isSure || sums.missing.has(path)) {
      told.add(path);
      findings.differs.push({ what: 'file', path, how: 'missing' });
    }
  }
  for (const path of sums.failed)
    if (!own.has(path) && !told.has(path)) {
      if (sums.unreadable.has(path)) findings.unknown.push(`${path} cannot be read`);
      else findings.differs.push({ what: 'file', path, how: 'changed' });
    }
  for (const problem of [...sums.problems, ...places.problems])
    findings.unknown.push(`files of artifacts: ${problem}`);
}

type Place = { readonly mode: string; readonly link: string | undefined };
type Places = {
  readonly of: ReadonlyMap<string, { before?: Place; now?: Place }>;
  readonly problems: readonly string[];
};

function other(path: string, before: Place, now: Place): Drift {
  const what = { what: 'file', path } as const;
  const [wanted, found] = [before.link, now.link];
  if (wanted !== undefined && found !== undefined && wanted !== found)
    return { ...what, how: 'elsewhere', found: shortened(found), wanted: shortened(wanted) };
  if ((wanted === undefined) !== (found === undefined)) return { ...what, how: 'changed' };
  return { ...what, how: 'mode', found: padded(now.mode), wanted: padded(before.mode) };
}

const KNOWN_OF_MODES = new RegExp(`(: No such file or directory|^ended 1|^listed|^${NOTED} .*)$`);

/** Lines of `uniq -c`: 2 for what was there, 1 for what is, and what tools had to say. A file that vanishes meanwhile is none of it. */
function placesOf(lines: readonly string[]): Places {
  const of = new Map<string, { before?: Place; now?: Place }>();
  const problems: string[] = [];
  for (const line of lines) {
    const [, count, text = ''] = /^ *(\d+) (.*)$/.exec(line) ?? [];
    const [, mode, name] = /^([0-7]{1,4}) (.+)$/.exec(text) ?? [];
    if (mode === undefined || name === undefined) {
      if (!KNOWN_OF_MODES.test(text)) problems.push(text);
      continue;
    }
    const [, left, link] = /^(.+?) -> (.+)$/.exec(name) ?? [];
    const path = pathOf(left ?? name);
    const place = { mode, link: link === undefined ? undefined : unquoted(link) };
    of.set(path, { ...of.get(path), ...(count === '2' ? { before: place } : { now: place }) });
  }
  return { of, problems };
}

type Sums = {
  readonly failed: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
  readonly unreadable: ReadonlySet<string>;
  readonly problems: readonly string[];
};

/** How many it is of, as GNU and busybox say it. Whatever else is said, such as of a line that is none, leaves all of them unknown. */
const KNOWN_OF_SUMS =
  /^ended [01]$|^sha256sum: WARNING: \d+ (of \d+ )?(listed files? could not be read|computed checksums? did NOT match)$/;

/** Lines of `sha256sum -c` about what is not as it was. busybox says of what it cannot open why, and then that it failed. */
function failedSums(lines: readonly string[]): Sums {
  const failed = new Set<string>();
  const missing = new Set<string>();
  const unreadable = new Set<string>();
  const problems: string[] = [];
  for (const line of lines) {
    const [, name] = /^(.+): FAILED(?: open or read)?$/.exec(line) ?? [];
    const [, of, why] = /^sha256sum: (.+): (Permission denied|No such file or directory)$/.exec(line) ?? [];
    if (name !== undefined) failed.add(pathOf(name));
    else if (of !== undefined) (why === 'Permission denied' ? unreadable : missing).add(closedPath(of));
    else if (!KNOWN_OF_SUMS.test(line)) problems.push(line);
  }
  if (!lines.some((line) => line.startsWith('ended '))) problems.push('their sums could not be made');
  return { failed, missing, unreadable, problems };
}

/** busybox puts any name between the same quotes. */
const closedPath = (text: string): string => {
  const [, plain] = /^can't open '(.+)'$/s.exec(text) ?? [];
  return plain === undefined ? pathOf(text) : withoutDot(plain);
};

const withoutDot = (path: string): string => path.replace(/^\.\//, '');
const pathOf = (name: string): string => withoutDot(unquoted(name));

const PARTS = /'([^']*)'|"([^"]*)"|\$'((?:\\.|[^'\\])*)'|\\(.)/gs;
/** GNU tools quote names for a shell, and busybox some. */
function unquoted(text: string): string {
  if (!/^['"$\\]/.test(text)) return text;
  return text.replace(PARTS, (_, plain, double, escaped, single) =>
    escaped === undefined ? (plain ?? double ?? single) : bytesOf(escaped),
  );
}

const bytesOf = (escaped: string): string =>
  Buffer.from(
    escaped.replaceAll(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    'latin1',
  ).toString();
