import * as z from 'zod';
import { EdgeError } from '../../domain/errors.ts';
import {
  type Alignment,
  aligned,
  answerOf,
  type MetricGrid,
  type MetricSample,
  type MetricsAnswer,
  requireFewSamples,
  requireRoom,
  type Series,
} from '../../domain/metrics.ts';
import { oneLine } from '../../lib/inert-text.ts';
import type { MetricsFault } from '../../outbound/ask-metrics.ts';

const WireError = z.object({
  message: z.string().default(''),
  extensions: z.object({ errorClass: z.string().optional(), error_code: z.string().optional() }).nullish(),
});
type WireError = z.infer<typeof WireError>;

/** A row is one bucket of one facet; its other fields are what was selected. */
const WireRow = z.looseObject({ beginTimeSeconds: z.number(), endTimeSeconds: z.number() });
type WireRow = z.infer<typeof WireRow>;

const WireNrql = z.object({
  results: z.array(WireRow),
  metadata: z
    .object({ facets: z.array(z.string()).nullish(), messages: z.array(z.string()).nullish() })
    .nullish(),
});

const WireReply = z.object({
  data: z
    .object({ actor: z.object({ account: z.object({ nrql: WireNrql.nullish() }).nullish() }).nullish() })
    .nullish(),
  errors: z.array(WireError).default([]),
});

type Gathered = Omit<Series, 'values'> & { readonly samples: MetricSample[] };
type Found = { readonly gathered: Map<string, Gathered>; readonly warnings: Set<string> };

/**
 * What NerdGraph says to the pieces of a grid. Errors come with status 200: with nothing else they are one, beside results they are warnings. Throws
 * `metrics_refused`, `metrics_unreachable` and `metrics_limit`.
 */
export function parseReply(
  bodies: readonly unknown[],
  grid: MetricGrid,
  alignment: Alignment,
): MetricsAnswer {
  const found: Found = { gathered: new Map(), warnings: new Set() };
  for (const body of bodies) gather(body, found);
  requireRoom(grid, found.gathered.size);
  const series = [...found.gathered.values()].map(
    ({ samples, ...names }): Series => ({ ...names, values: aligned(samples, grid, alignment) }),
  );
  return answerOf({ series, warnings: [...found.warnings], completeToMs: alignment.completeToMs });
}

/** `Each query gives up to 5,000 rows`: where it gives as many, there may be more. */
const MOST_ROWS = 5_000;

function gather(body: unknown, { gathered, warnings }: Found): void {
  const reply = WireReply.safeParse(body).data;
  if (!reply) throw new EdgeError('metrics_refused', 'The answer is none that New Relic gives to a query');
  const nrql = reply.data?.actor?.account?.nrql;
  if (!nrql) throw faultOf(reply.errors);
  for (const { message } of reply.errors) warnings.add(oneLine(message));
  for (const message of nrql.metadata?.messages ?? []) warnings.add(oneLine(message));
  if (nrql.results.length >= MOST_ROWS) warnings.add(`as many rows as New Relic gives, ${MOST_ROWS}`);
  for (const row of nrql.results) gatherRow(row, nrql.metadata?.facets ?? [], gathered);
  requireFewSamples(gathered.values());
}

/** A bucket with nothing in it has a row too, with `null`: that is no sample, and ends the reach of none. */
function gatherRow(row: WireRow, facets: readonly string[], gathered: Map<string, Gathered>): void {
  const { beginTimeSeconds: _, endTimeSeconds, facet, ...fields } = row;
  const labels = labelsOf(facets, facet, fields);
  for (const [name, value] of Object.entries(fields)) {
    if (facets.includes(name)) continue;
    for (const [path, number] of numbersIn(name, value)) {
      const key = JSON.stringify([path, labels]);
      const one = gathered.get(key) ?? { name: path, labels, samples: [] };
      gathered.set(key, one);
      if (number !== null) one.samples.push({ atMs: endTimeSeconds * 1_000, value: number });
    }
  }
}

/** What the query calls its facets; the values stand in `facet`, alone or as a list, and by their names. */
function labelsOf(
  facets: readonly string[],
  facet: unknown,
  fields: Readonly<Record<string, unknown>>,
): Series['labels'] {
  const values: readonly unknown[] = Array.isArray(facet) ? facet : [facet];
  return Object.fromEntries(
    facets.map((name, at) => [name, String(values[at] ?? fields[name] ?? '')] as const),
  );
}

/** `percentile` and such give objects of numbers, each of which is a series. A text is none; no value is `null`. */
function numbersIn(name: string, value: unknown): readonly (readonly [string, number | null])[] {
  if (typeof value === 'number' || value === null) return [[name, value]];
  if (typeof value !== 'object' || Array.isArray(value)) return [];
  return Object.entries(value ?? {}).flatMap(([part, inner]) =>
    typeof inner === 'number' || inner === null ? [[`${name}.${part}`, inner] as const] : [],
  );
}

const AGAIN = /^(TIMEOUT|INTERNAL_SERVER_ERROR|SERVER_ERROR|TOO_MANY_REQUESTS)$/;
const WORDS_OF_AGAIN = /timed out|overloaded|rate limit|too many requests|limit of queries/i;

/** Which may be otherwise the next time: as the client of New Relic has it (newrelic-client-go, internal/http/graphql.go), and by their words. */
function faultOf(errors: readonly WireError[]): EdgeError {
  const words = wordsOf(errors) || 'no results, and no error';
  const isAgain = errors.some(
    ({ message, extensions }) => AGAIN.test(extensions?.errorClass ?? '') || WORDS_OF_AGAIN.test(message),
  );
  const isKey = errors.some(({ extensions }) => extensions?.error_code === 'BAD_API_KEY');
  const hint = 'Check the key of the source: it is that of a user, who may read the account.';
  return new EdgeError(
    isAgain ? 'metrics_unreachable' : 'metrics_refused',
    `New Relic: ${words}`,
    isKey ? { hint } : {},
  );
}

const MOST_WORDS = 500;
const wordsOf = (errors: readonly WireError[]): string =>
  oneLine(errors.map(({ message }) => message).join('; ')).slice(0, MOST_WORDS);

/** With another status than 200: `{"errors": [{"message": "…"}]}`. */
export function faultIn(body: string): MetricsFault | undefined {
  try {
    const said = z.object({ errors: z.array(WireError) }).safeParse(JSON.parse(body)).data;
    return said && { words: wordsOf(said.errors) };
  } catch {
    return undefined;
  }
}
