import * as z from 'zod';
import { EdgeError } from '../../domain/errors.ts';
import {
  aligned,
  answerOf,
  type MetricGrid,
  type MetricSample,
  type MetricsAnswer,
  numberFrom,
  requireRoom,
  type Series,
} from '../../domain/metrics.ts';
import { type JsonPath, valueAt } from '../../lib/json-path.ts';

/** Of the times that a source takes and gives, since the epoch; it may give texts of ISO 8601 too. */
export type TimeUnit = 'seconds' | 'milliseconds';

/** Where in an answer things are. Those of a series begin at the series. */
export type ReplyPaths = {
  /** The list of series; left out: the whole is the one series. */
  readonly series?: JsonPath;
  readonly name?: JsonPath;
  /** An object of texts. */
  readonly labels?: JsonPath;
  readonly times: JsonPath;
  /** As many as times: numbers, texts such as `NaN`, or `null`. */
  readonly values: JsonPath;
  /** A text or a list of texts: where one is, the answer is a part. */
  readonly warnings?: JsonPath;
  /** Up to when the data is complete, where the source knows. */
  readonly completeTo?: JsonPath;
};

export type ReplyRules = { readonly unit: TimeUnit; readonly paths: ReplyPaths; readonly reachMs?: number };

/**
 * An answer in the words of the port. Throws `metrics_refused`, with the path of what is not as it should be, and `metrics_limit`.
 * `completeToMs` is what Edge believes: the source may know of less, and not of more.
 */
export function parseReply(
  body: unknown,
  rules: ReplyRules,
  asked: { readonly grid: MetricGrid; readonly completeToMs: number },
): MetricsAnswer {
  const { paths } = rules;
  const items = paths.series ? valueAt(body, paths.series) : [body];
  if (!Array.isArray(items)) throw wrong(paths.series, 'is no list of series');
  requireRoom(asked.grid, items.length);
  const completeToMs = completeTo(body, rules, asked.completeToMs);
  const alignment = { reachMs: rules.reachMs ?? asked.grid.stepMs, completeToMs };
  const series = items.map(
    (item): Series => ({
      ...nameIn(item, paths.name),
      labels: labelsIn(item, paths.labels),
      values: aligned(samplesIn(item, rules), asked.grid, alignment),
    }),
  );
  return answerOf({ series, warnings: warningsIn(body, paths.warnings), completeToMs });
}

function samplesIn(item: unknown, { paths, unit }: ReplyRules): readonly MetricSample[] {
  const [times, values] = [valueAt(item, paths.times), valueAt(item, paths.values)];
  if (!Array.isArray(times)) throw wrong(paths.times, 'is no list of times');
  if (!Array.isArray(values)) throw wrong(paths.values, 'is no list of values');
  if (times.length !== values.length)
    throw wrong(paths.values, `has ${values.length} values for ${times.length} times`);
  return times.map((time, index) => {
    const atMs = timeFrom(time, unit);
    if (atMs === undefined) throw wrong(paths.times, `has ${shown(time)} in place of a time`);
    const value = valueFrom(values[index]);
    if (value === undefined) throw wrong(paths.values, `has ${shown(values[index])} in place of a number`);
    return { atMs, value };
  });
}

/** `null` is none, and so is a value that is left out; `undefined` is none that is understood. */
function valueFrom(value: unknown): number | null | undefined {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return numberFrom(value);
  return typeof value === 'number' ? value : undefined;
}

function timeFrom(time: unknown, unit: TimeUnit): number | undefined {
  if (typeof time === 'number') return Math.round(unit === 'seconds' ? time * 1_000 : time);
  if (typeof time !== 'string' || !/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(time)) return undefined;
  const atMs = Date.parse(time);
  return Number.isNaN(atMs) ? undefined : atMs;
}

function completeTo(body: unknown, { paths, unit }: ReplyRules, believedMs: number): number {
  if (!paths.completeTo) return believedMs;
  const said = timeFrom(valueAt(body, paths.completeTo), unit);
  if (said === undefined) throw wrong(paths.completeTo, 'is no time');
  return Math.min(said, believedMs);
}

function nameIn(item: unknown, path: JsonPath | undefined): Pick<Series, 'name'> {
  if (!path) return {};
  const name = valueAt(item, path);
  if (typeof name !== 'string') throw wrong(path, 'is no text');
  return { name };
}

const Labels = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

function labelsIn(item: unknown, path: JsonPath | undefined): Series['labels'] {
  if (!path) return {};
  const labels = Labels.safeParse(valueAt(item, path) ?? {}).data;
  if (!labels) throw wrong(path, 'is no object of texts');
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
}

/** Whatever stands there and says something is a warning: one that is not understood is none that may be passed over. */
function warningsIn(body: unknown, path: JsonPath | undefined): readonly string[] {
  const said = path ? valueAt(body, path) : undefined;
  const all: readonly unknown[] = Array.isArray(said) ? said : [said];
  return all
    .filter((one) => one !== undefined && one !== null && one !== '' && one !== false)
    .map((one) => (typeof one === 'string' ? one : shown(one)));
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 100);

const wrong = (path: JsonPath | undefined, what: string): EdgeError =>
  new EdgeError('metrics_refused', `The answer is not as it should be: [${(path ?? []).join(', ')}] ${what}`);
