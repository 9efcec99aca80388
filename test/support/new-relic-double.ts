import type { WorldSample } from '../contracts/metrics.ts';
import { type JsonDouble, type JsonReply, type JsonRequest, startJsonDouble } from './json-double.ts';

export const NEW_RELIC_KEY = 'NRAK-USER';

export type NewRelicDouble = JsonDouble & {
  /** It says that its answers are parts, or no longer. */
  setPartial(isPartial: boolean): void;
};

/**
 * NerdGraph as documented, for NRQL of one form: an average of a name with its facets, in buckets that end with `UNTIL`. Errors come with status 200.
 */
export async function startNewRelicDouble(samples: readonly WorldSample[]): Promise<NewRelicDouble> {
  const state = { partial: false };
  const double = await startJsonDouble((request) => answerTo(request, samples, state.partial));
  return { ...double, setPartial: (partial) => void Object.assign(state, { partial }) };
}

const failed = (message: string, extensions: object): JsonReply => ({
  body: {
    data: { actor: { account: { nrql: null } } },
    errors: [{ message, path: ['actor', 'account', 'nrql'], extensions }],
  },
});

function answerTo(request: JsonRequest, samples: readonly WorldSample[], isPartial: boolean): JsonReply {
  if (request.headers['api-key'] !== NEW_RELIC_KEY)
    return {
      status: 401,
      body: { errors: [{ message: 'Invalid API key', extensions: { error_code: 'BAD_API_KEY' } }] },
    };
  const { variables } = JSON.parse(request.body) as { variables: { nrql: string; account: number } };
  const asked = askedIn(variables.nrql);
  if (!asked) return failed('NRQL Syntax Error: Error at line 1 position 1', { errorClass: 'BAD_REQUEST' });
  const { sinceMs, untilMs, bucketMs } = asked;
  if ((untilMs - sinceMs) / bucketMs > 366)
    return failed('TIMESERIES supports a maximum of 366 buckets', { errorClass: 'BAD_REQUEST' });
  const messages = isPartial ? ['Some data could not be read'] : [];
  const metadata = { facets: ['server', 'zone'], messages };
  return { body: { data: { actor: { account: { nrql: { results: rowsFor(asked, samples), metadata } } } } } };
}

type Asked = {
  readonly name: string;
  readonly server?: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly bucketMs: number;
};

const FORM =
  /^SELECT average\((\w+)\) AS '\w+' FROM Sample(?: WHERE server = '([^'\\]*)')? FACET server, zone LIMIT MAX\nSINCE (\d+) UNTIL (\d+) TIMESERIES (\d+) seconds$/;

function askedIn(nrql: string): Asked | undefined {
  const [, name, server, since, until, seconds] = FORM.exec(nrql) ?? [];
  if (name === undefined) return undefined;
  return {
    ...{ name, sinceMs: Number(since), untilMs: Number(until), bucketMs: Number(seconds) * 1_000 },
    ...(server !== undefined && { server }),
  };
}

/** Each facet has a row for each bucket, with `null` where there is nothing. */
function rowsFor({ name, server, sinceMs, untilMs, bucketMs }: Asked, samples: readonly WorldSample[]) {
  const found = samples.filter(
    (one) =>
      one.name === name &&
      (server === undefined || one.labels.server === server) &&
      one.atMs >= sinceMs &&
      one.atMs < untilMs,
  );
  const facets = Map.groupBy(found, ({ labels }) => JSON.stringify([labels.server, labels.zone]));
  return [...facets].flatMap(([facet, those]) =>
    Array.from({ length: (untilMs - sinceMs) / bucketMs }, (_, at) => {
      const beginMs = sinceMs + at * bucketMs;
      const values = those
        .filter(({ atMs }) => atMs >= beginMs && atMs < beginMs + bucketMs)
        .map(({ value }) => value);
      const average =
        values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
      return {
        ...{ beginTimeSeconds: beginMs / 1_000, endTimeSeconds: (beginMs + bucketMs) / 1_000 },
        ...{ facet: JSON.parse(facet) as unknown, [name]: average },
      };
    }),
  );
}
