import type { Output } from '../../api/contract.ts';
import { partName } from '../../domain/capacity.ts';
import { counted } from '../../words/format.ts';
import { type Line, line, padText, span, type Tone, textWidth } from './line.ts';

type Explained = Output<'plan'>['explained'];
type Capacity = Explained['stages'][number]['batches'][number]['capacity'][number];
/** Batches, one after the other, that leave a pool as many members. */
type Row = { readonly first: string; readonly last: string; readonly batches: number; readonly of: Capacity };

const WIDEST = 40;

/**
 * The capacity curve as a picture: for each pool, and each zone in it that has a floor, one bar per batch, whose members serve all
 * the time (█), are out for a while (▒), or do not serve (·), with the floor (│) among them. It says the same without colours.
 */
export function capacityLines({ stages }: Explained): readonly Line[] {
  const all = stages.flatMap(({ name: stage, batches }) =>
    batches.flatMap(({ zone, name, capacity }) =>
      capacity.map((of) => ({ batch: batchName({ stage, zone, name }), of })),
    ),
  );
  const pools = Map.groupBy(all, ({ of }) => partName(`${of.balancer}/${of.pool}`, of.zone));
  if (pools.size === 0) return [];
  return [
    line('capacity: █ serves, ▒ out for a while, · not in service, │ the floor', 'dim'),
    ...[...pools].flatMap(([name, of]) => poolLines(name, of)),
  ];
}

function batchName({ stage, zone, name }: Readonly<Record<'stage' | 'zone' | 'name', string>>): string {
  return zone === stage || zone === 'default' ? name : `${zone} ${name}`;
}

function poolLines(
  name: string,
  all: readonly { readonly batch: string; readonly of: Capacity }[],
): readonly Line[] {
  const rows = all.reduce(withRow, []);
  const [first] = rows;
  if (!first) return [];
  const { configured, floor } = first.of;
  const labels = rows.map(labelOf);
  const width = Math.max(...labels.map(textWidth));
  return [
    [span(`${name}`, 'strong'), span(`  ${counted(configured, 'member')}, floor ${floor}`)],
    ...rows.map(({ of }, index): Line => {
      const { tone, note } = judged(of);
      return [
        span(`  ${padText(labels[index] ?? '', width)}  `),
        span(barOf(of), tone),
        span(`  ${of.lowest} of ${of.before}${note}`, tone),
      ];
    }),
  ];
}

function withRow(
  rows: readonly Row[],
  { batch, of }: { readonly batch: string; readonly of: Capacity },
): readonly Row[] {
  const before = rows.at(-1);
  const isSame = before && before.of.before === of.before && before.of.lowest === of.lowest;
  if (!isSame) return [...rows, { first: batch, last: batch, batches: 1, of }];
  return [...rows.slice(0, -1), { ...before, last: batch, batches: before.batches + 1 }];
}

const labelOf = ({ first, last, batches }: Row): string =>
  batches === 1 ? first : `${first} … ${last} (${batches})`;

function judged({ lowest, before, floor }: Capacity): { readonly tone: Tone; readonly note: string } {
  if (lowest === 0 && before > 0) return { tone: 'bad', note: ', nothing serves meanwhile' };
  if (lowest < floor) return { tone: 'bad', note: ', under the floor' };
  return lowest === floor ? { tone: 'warn', note: ', at the floor' } : { tone: 'good', note: '' };
}

/** One column for each member; of large pools one for several. */
function barOf({ configured, before, lowest, floor }: Capacity): string {
  const columns = Math.min(WIDEST, configured);
  const at = (members: number): number => Math.round((members * columns) / Math.max(1, configured));
  const cell = (column: number): string => (column < at(lowest) ? '█' : column < at(before) ? '▒' : '·');
  const cells = Array.from({ length: columns }, (_, column) => cell(column));
  return [...cells.slice(0, at(floor)), '│', ...cells.slice(at(floor))].join('');
}
