/** One series that a query gave for one of the two scopes: a value for each step, NaN where there is none. */
export type Series = {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly values: readonly number[];
};

/** The same series of both scopes. Which moment a value is of plays no part any more (CANARY.md section 1.1). */
export type Pair = {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly baseline: readonly number[];
  readonly canary: readonly number[];
};

export class PairingError extends Error {
  override readonly name = 'PairingError';
}

/**
 * The series of one metric, paired by their tags; each pair is judged by itself. `points`: what each is filled up to with NaN. A set of
 * tags that one side lacks is paired with nothing but NaN, and so is a side of which only a series without tags is there. Throws
 * `PairingError` where a side has no series, names differ, or the sides are tagged by other keys.
 */
export function pairs(
  baseline: readonly Series[],
  canary: readonly Series[],
  points: number,
): readonly Pair[] {
  const name = nameOf([...baseline, ...canary]);
  if (baseline.length === 0 || canary.length === 0)
    throw new PairingError(`${name}: the ${baseline.length === 0 ? 'baseline' : 'canary'} has no series`);
  const [ours, theirs] = [tagged(baseline), tagged(canary)];
  const keys = new Set([...ours, ...theirs].map(keysOf));
  if (keys.size > 1)
    throw new PairingError(`${name}: its series are tagged by ${[...keys].join(' and by ')}`);
  if (keys.size === 0)
    return [pairOf(name, {}, { baseline: baseline[0]?.values, canary: canary[0]?.values, points })];
  const sets = new Map([...ours, ...theirs].map(({ tags }) => [setOf(tags), tags]));
  const valuesOf = (side: readonly Series[], set: string) =>
    side.find(({ tags }) => setOf(tags) === set)?.values;
  return [...sets].map(([set, tags]) =>
    pairOf(name, tags, { baseline: valuesOf(ours, set), canary: valuesOf(theirs, set), points }),
  );
}

function nameOf(all: readonly Series[]): string {
  const names = new Set(all.map(({ name }) => name));
  const [name = ''] = names;
  if (names.size > 1) throw new PairingError(`series of several names: ${[...names].join(', ')}`);
  if (all.length > 0 && name === '') throw new PairingError('a series without a name');
  return name;
}

const tagged = (side: readonly Series[]) => side.filter(({ tags }) => Object.keys(tags).length > 0);
const keysOf = ({ tags }: Series): string => Object.keys(tags).sort().join(', ');
const setOf = (tags: Series['tags']): string => JSON.stringify(Object.entries(tags).sort());

type Sides = {
  readonly baseline: readonly number[] | undefined;
  readonly canary: readonly number[] | undefined;
  readonly points: number;
};

function pairOf(name: string, tags: Series['tags'], { baseline = [], canary = [], points }: Sides): Pair {
  return { name, tags, baseline: filled(baseline, points), canary: filled(canary, points) };
}

const filled = (values: readonly number[], points: number): readonly number[] => [
  ...values,
  ...Array<number>(Math.max(0, points - values.length)).fill(Number.NaN),
];
