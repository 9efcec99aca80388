import { structuredPatch } from 'diff';
import type { ReleaseId } from '../domain/ids.ts';
import { filePlaceOf } from '../domain/planned-files.ts';
import { type MadeFile, type MadePart, makeFiles } from '../domain/property-file.ts';
import { plannedRelease, type Release } from '../domain/release.ts';
import { cannotBeMade } from '../plan/files.ts';

type Change = 'added' | 'removed' | 'changed';

/** What changes in one file. `lines` begin with `+`, `-` or a space, and with `@@` where lines are left out, as those of `diff -u`. */
export type FileChange = {
  readonly path: string;
  readonly change: Change;
  readonly mode: { readonly before: string | null; readonly after: string | null };
  readonly lines: readonly string[];
};
export type ArtifactChange = { readonly name: string; readonly change: Change };

/** What a release would change on disk, the same for all of these targets. */
export type Difference = {
  readonly targets: readonly string[];
  /** `null`: Edge never put anything there, or does not know that release any more; all of the files are new then. */
  readonly before: ReleaseId | null;
  readonly after: ReleaseId;
  readonly artifacts: readonly ArtifactChange[];
  readonly files: readonly FileChange[];
};

export type DiffTarget = {
  readonly name: string;
  readonly zone: string;
  readonly address: string;
  readonly port: number | null;
  readonly before: Release | null;
};
type Place = { readonly project: string; readonly environment: string };

/**
 * What a release would change on each target, equal answers together; targets without any change are left out. Pure. Secrets are
 * `***` with the place where the worker finds them. Throws `variable_undefined`.
 */
export function differences(
  after: Release,
  place: Place,
  targets: readonly DiffTarget[],
): readonly Difference[] {
  const groups = Map.groupBy(
    targets.map((target) => ({ name: target.name, change: changeOf(after, place, target) })),
    ({ change }) => JSON.stringify(change),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first || (first.change.artifacts.length === 0 && first.change.files.length === 0)) return [];
    return [{ targets: group.map(({ name }) => name), ...first.change }];
  });
}

function changeOf(after: Release, place: Place, target: DiffTarget): Omit<Difference, 'targets'> {
  const { before } = target;
  const now = texts(after, place, target);
  if ('problems' in now) throw cannotBeMade(target.name, after, now.problems);
  const then = before ? texts(before, place, target) : new Map<string, Text>();
  return {
    before: before?.id ?? null,
    after: after.id,
    artifacts: artifactsOf(before, after),
    files: filesOf('problems' in then ? new Map() : then, now),
  };
}

type Text = { readonly mode: string; readonly text: string };

function texts(release: Release, place: Place, target: DiffTarget) {
  const { properties } = plannedRelease(release, place.environment);
  const made = makeFiles(properties ?? { files: [], variables: [] }, filePlaceOf(place, target, release));
  return made.kind === 'problems' ? made : new Map(made.files.map((file) => [file.path, textOf(file)]));
}

const textOf = ({ mode, parts }: MadeFile): Text => ({ mode, text: parts.map(shown).join('') });

const shown = (part: MadePart): string =>
  typeof part === 'string' ? part : `***(${part.secret.source} ${part.secret.name})`;

function artifactsOf(before: Release | null, after: Release): readonly ArtifactChange[] {
  const digests = (release: Release | null) =>
    new Map(
      (release?.artifacts ?? []).map(({ name, sha256, unpack }) => [name, `${sha256} ${unpack}`] as const),
    );
  return changes(digests(before), digests(after)).map(({ key, change }) => ({ name: key, change }));
}

function filesOf(before: ReadonlyMap<string, Text>, after: ReadonlyMap<string, Text>): readonly FileChange[] {
  const flat = (texts: ReadonlyMap<string, Text>) =>
    new Map([...texts].map(([path, { mode, text }]) => [path, `${mode}\n${text}`]));
  return changes(flat(before), flat(after)).map(({ key: path, change }) => {
    const [then, now] = [before.get(path), after.get(path)];
    return {
      ...{ path, change, mode: { before: then?.mode ?? null, after: now?.mode ?? null } },
      lines: linesOf(then?.text ?? '', now?.text ?? ''),
    };
  });
}

/** By key, in its order. */
function changes(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly { readonly key: string; readonly change: Change }[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => ({ key, change: !before.has(key) ? 'added' : !after.has(key) ? 'removed' : 'changed' }));
}

const CONTEXT = 3;

/** Beyond so many changed lines a file counts as written anew: the time to find the fewest changes grows with their square. */
const MOST_CHANGES = 300;

function linesOf(before: string, after: string): readonly string[] {
  const options = { context: CONTEXT, maxEditLength: MOST_CHANGES };
  const patch = structuredPatch('', '', before, after, '', '', options);
  if (!patch) return [...marked('-', before), ...marked('+', after)];
  return patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${rangeOf(oldStart, oldLines)} +${rangeOf(newStart, newLines)} @@`,
    ...lines,
  ]);
}

const marked = (mark: string, text: string): readonly string[] =>
  text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `${mark}${line}`);

/** No lines begin after the one before them. */
const rangeOf = (start: number, lines: number): string => `${lines === 0 ? start - 1 : start},${lines}`;
