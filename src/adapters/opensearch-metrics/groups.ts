import * as z from 'zod';
import { EdgeError } from '../../domain/errors.ts';
import type { Search } from './search.ts';

/** The buckets of one histogram, with the keys of the groups that it is in. */
export type Group = {
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets: readonly unknown[];
};

/** `otherDocuments`: in groups that are not given. */
export type Groups = { readonly groups: readonly Group[]; readonly otherDocuments: number };

/** Groups with keys are a list or an object of buckets; a filter, or what is nested, is one bucket itself. */
const Node = z.looseObject({
  buckets: z.union([z.array(z.looseObject({})), z.record(z.string(), z.looseObject({}))]).optional(),
  sum_other_doc_count: z.number().default(0),
});

const Key = z.union([z.string(), z.number(), z.boolean()]);

type Inner = { readonly labels: Group['labels']; readonly node: Readonly<Record<string, unknown>> };

/** What is in the aggregations of an answer. Throws `metrics_refused` where they are not those of the search. */
export function groupsIn(
  aggregations: Readonly<Record<string, unknown>>,
  { groups: names, time }: Pick<Search, 'groups' | 'time'>,
): Groups {
  const walk = ({ labels, node }: Inner, [name, ...rest]: readonly string[]): Groups => {
    if (name === undefined) return { groups: histogramIn({ labels, node }, time), otherDocuments: 0 };
    const group = Node.safeParse(node[name]).data;
    if (!group) return NOTHING;
    const inner = innerOf(name, group, labels).map((one) => walk(one, rest));
    return {
      groups: inner.flatMap(({ groups }) => groups),
      otherDocuments: inner.reduce((sum, one) => sum + one.otherDocuments, group.sum_other_doc_count),
    };
  };
  return walk({ labels: {}, node: aggregations }, names);
}

const NOTHING: Groups = { groups: [], otherDocuments: 0 };

function innerOf(name: string, group: z.infer<typeof Node>, labels: Group['labels']): readonly Inner[] {
  const { buckets } = group;
  if (!buckets) return [{ labels, node: group }];
  if (!Array.isArray(buckets))
    return Object.entries(buckets).map(([key, node]) => ({ labels: { ...labels, [name]: key }, node }));
  return buckets.map((node) => ({ labels: { ...labels, [name]: keyOf(name, node) }, node }));
}

function keyOf(name: string, { key, key_as_string }: Readonly<Record<string, unknown>>): string {
  const said = Key.safeParse(key_as_string ?? key).data;
  if (said !== undefined) return String(said);
  throw new EdgeError('metrics_refused', `The groups of ${JSON.stringify(name)} have no single key`);
}

const Histogram = z.object({ buckets: z.array(z.unknown()) });

function histogramIn({ labels, node }: Inner, time: string): readonly Group[] {
  if (node[time] === undefined) return [];
  const histogram = Histogram.safeParse(node[time]).data;
  if (histogram) return [{ labels, buckets: histogram.buckets }];
  throw new EdgeError('metrics_refused', `The answer has no buckets of times in ${JSON.stringify(time)}`);
}
