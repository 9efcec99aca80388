import type { GetMetricDataOutput, MessageData, MetricDataResult } from '@aws-sdk/client-cloudwatch';
import { EdgeError } from '../../domain/errors.ts';
import { type MetricSample, requireFewSamples } from '../../domain/metrics.ts';

/** A result over all pages. Samples stand at the beginnings of their buckets, in the order in which they came. */
export type Found = {
  readonly id: string;
  readonly label: string;
  readonly samples: readonly MetricSample[];
};

export type AllFound = { readonly results: readonly Found[]; readonly warnings: readonly string[] };

type Gathered = Found & { readonly samples: MetricSample[]; status: string | undefined };

/** More than any answer needs that has room: a page has up to 100,800 values. */
const MOST_PAGES = 500;

/** Reads page after page. Throws `metrics_limit` before what is read fills the memory, and `metrics_refused`. */
export async function allPages(
  page: (token: string | undefined) => Promise<GetMetricDataOutput>,
): Promise<AllFound> {
  const gathered = new Map<string, Gathered>();
  const warnings = new Set<string>();
  let token: string | undefined;
  for (let read = 0; read < MOST_PAGES; read += 1) {
    const output = await page(token);
    gather(output, gathered, warnings);
    requireFewSamples(gathered.values());
    token = output.NextToken;
    if (!token) return { results: [...gathered.values()], warnings: [...warnings, ...lacking(gathered)] };
  }
  throw new EdgeError('metrics_limit', `The answer of CloudWatch has more than ${MOST_PAGES} pages`);
}

/** A series that goes on in a later page has the same id and label; where several of a page have, the same place among these. */
function gather(
  { MetricDataResults = [], Messages = [] }: GetMetricDataOutput,
  gathered: Map<string, Gathered>,
  warnings: Set<string>,
): void {
  for (const message of Messages) warnings.add(wordsOf(message));
  const seen = new Map<string, number>();
  for (const result of MetricDataResults) {
    const { Id: id = '', Label: label = '' } = result;
    const name = JSON.stringify([id, label]);
    const place = seen.get(name) ?? 0;
    seen.set(name, place + 1);
    const key = `${name} ${place}`;
    const one = gathered.get(key) ?? { id, label, samples: [], status: undefined };
    gathered.set(key, one);
    add(one, result);
    for (const message of result.Messages ?? []) warnings.add(`${label}: ${wordsOf(message)}`);
  }
}

function add(one: Gathered, { Timestamps = [], Values = [], StatusCode }: MetricDataResult): void {
  if (Timestamps.length !== Values.length)
    throw new EdgeError(
      'metrics_refused',
      `CloudWatch gives ${Values.length} values for ${Timestamps.length} times of ${one.label}`,
    );
  for (const [at, time] of Timestamps.entries())
    one.samples.push({ atMs: time.getTime(), value: Values[at] ?? null });
  one.status = StatusCode;
}

/** What the last page says of a result counts: it may be a part only up to there. */
function lacking(gathered: ReadonlyMap<string, Gathered>): readonly string[] {
  const all = [...gathered.values()].filter(({ status }) => status !== 'Complete' && status !== undefined);
  const forbidden = all.find(({ status }) => status === 'Forbidden');
  if (forbidden)
    throw new EdgeError('metrics_refused', `CloudWatch gives nothing of ${forbidden.label}: Forbidden`, {
      hint: 'Allow the credentials `cloudwatch:GetMetricData`, for the account of that metric too.',
    });
  return all.map(({ label, status }) => `${label}: ${status}`);
}

const wordsOf = ({ Code = '', Value = '' }: MessageData): string =>
  [Code, Value].filter((word) => word !== '').join(': ');
