import type { GetMetricDataOutput, MessageData, MetricDataResult } from '@aws-sdk/client-cloudwatch';
import { EdgeError } from '../../domain/errors.ts';
import { MOST_VALUES } from '../../domain/metrics.ts';

/** A result over all pages: times are the beginnings of buckets, in the order in which they came. */
export type Found = {
  readonly id: string;
  readonly label: string;
  readonly times: readonly number[];
  readonly values: readonly number[];
};

export type AllFound = { readonly results: readonly Found[]; readonly warnings: readonly string[] };

type Gathered = Found & {
  readonly times: number[];
  readonly values: number[];
  status: string | undefined;
};

/** Of at most 100,800 values each: more than `MOST_VALUES` in any case. */
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
    requireRoomFor(gathered);
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
    const one = gathered.get(key) ?? { id, label, times: [], values: [], status: undefined };
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
  for (const time of Timestamps) one.times.push(time.getTime());
  for (const value of Values) one.values.push(value);
  one.status = StatusCode;
}

function requireRoomFor(gathered: ReadonlyMap<string, Gathered>): void {
  const values = [...gathered.values()].reduce((sum, one) => sum + one.values.length, 0);
  if (values <= MOST_VALUES) return;
  throw new EdgeError('metrics_limit', `The answer has more than ${MOST_VALUES} values, which is the most`);
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
