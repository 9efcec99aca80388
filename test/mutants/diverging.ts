import type { Guard } from './guards.ts';

/** The global that an observed source calls, and that `plant-diverging.ts` makes. */
export const OBSERVER = 'edgeDiverges';

type Place = Pick<Guard, 'start' | 'end'>;

/**
 * The source with every guard observed: it does as before, and tells each time that a guard's deletion would have decided
 * otherwise. A seed in which that never happens cannot show the deletion of that guard, so it need not be run with it.
 */
export function observed(source: string, guards: readonly Guard[]): string {
  const render = ({ start, end }: Place, within: readonly Guard[]): string => {
    let text = '';
    let at = start;
    for (const place of outermost(within)) {
      const here = within.filter((guard) => isSame(guard, place));
      const inside = within.filter((guard) => isIn(guard, place) && !isSame(guard, place));
      text += source.slice(at, place.start) + call(here, render(place, inside));
      at = place.end;
    }
    return text + source.slice(at, end);
  };
  return render({ start: 0, end: source.length }, guards);
}

const isSame = (a: Place, b: Place): boolean => a.start === b.start && a.end === b.end;
const isIn = (a: Place, b: Place): boolean => a.start >= b.start && a.end <= b.end;

/** In the order of the source, each place once. */
function outermost(guards: readonly Guard[]): readonly Place[] {
  const found: Place[] = [];
  for (const guard of guards.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = found.at(-1);
    if (!last || !isIn(guard, last)) found.push(guard);
  }
  return found;
}

function call(guards: readonly Guard[], original: string): string {
  const others = guards.map(({ name, to }) => `[${JSON.stringify(name)}, () => (${to})]`);
  return `${OBSERVER}(() => (${original}), [${others.join(', ')}])`;
}

export type Other = readonly [name: string, value: () => unknown];

/** What an observed source calls: the value as it is, and the names of guards without which it would be another. */
export function observerOf(
  seen: Set<string>,
): (original: () => unknown, others: readonly Other[]) => unknown {
  return (original, others) => {
    const value = original();
    for (const [name, other] of others) if (!seen.has(name) && !isAlike(value, other)) seen.add(name);
    return value;
  };
}

function isAlike(value: unknown, other: () => unknown): boolean {
  try {
    const without = other();
    if (!value || !without || typeof without === 'boolean') return Boolean(value) === Boolean(without);
    return Object.is(value, without) || JSON.stringify(value) === JSON.stringify(without);
  } catch {
    return false;
  }
}
