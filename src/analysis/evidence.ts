import { type AnalysedMetric, BALANCER } from '../domain/analysis.ts';
import { startOf } from './canary-time.ts';
import { nameOfSide } from './canary-traffic.ts';
import { kindOf, type Watched } from './judged.ts';
import { type MeasuredServer, type ServerPair, type Side, serversOf } from './servers.ts';

/** The first line of a file of samples, as `edge judge` reads it. */
export const EVIDENCE_HEAD = 'time,metric,side,server,value,of\n';

/**
 * Lines of a file of samples: all that was measured of a metric, before the canary and in so many steps of it, at the beginning of each step. There
 * is one for each server at each step, also where it said nothing, so that the lines of two looks differ in values only. What balancers
 * count has no history, and one line for each side.
 */
export function* evidenceLines(watched: Watched, metric: AnalysedMetric, steps: number): Generator<string> {
  const { time, pairs, measured } = watched;
  const rows = rowsOf(metric, pairs);
  const of = measured.get(metric.name);
  for (let point = metric.source === BALANCER ? time.before : 0; point < time.before + steps; point += 1) {
    if (point >= time.history && point < time.before) continue;
    const start = new Date(startOf(time, point)).toISOString().replace('.000Z', 'Z');
    for (const { side, server, label } of rows) {
      const { values, of: exposures } = of?.get(server.name) ?? {};
      const value = textOf(values?.[point], '');
      const exposure = kindOf(metric) === 'gauge' ? '' : textOf(exposures?.[point], '0');
      yield `${start},${cell(metric.name)},${side},${cell(label)},${value},${exposure}\n`;
    }
  }
}

function rowsOf(metric: AnalysedMetric, pairs: readonly ServerPair[]): readonly Row[] {
  if (metric.source === BALANCER) return [...sideOf(pairs, 'canary'), ...sideOf(pairs, 'baseline')];
  return kindOf(metric) === 'gauge' ? paired(pairs) : distinct(paired(pairs));
}

/** All servers of a side, as one. */
function sideOf(pairs: readonly ServerPair[], side: Side): readonly Row[] {
  const server = nameOfSide(pairs, side);
  const { length } = serversOf(pairs, side);
  return server ? [{ side, server, label: length === 1 ? server.name : `all ${length} servers` }] : [];
}

type Row = { readonly side: Side; readonly server: MeasuredServer; readonly label: string };

/** The number of its pair stands before each name: servers are paired in the order of their names there. */
function paired(pairs: readonly ServerPair[]): readonly Row[] {
  const width = String(pairs.length).length;
  return pairs.flatMap((pair, index) => {
    const label = (side: Side) => `${String(index + 1).padStart(width, '0')} ${pair[side].name}`;
    const row = (side: Side): Row => ({ side, server: pair[side], label: label(side) });
    return [row('canary'), row('baseline')];
  });
}

/** What was counted of a server counts once, in however many pairs it is. */
const distinct = (rows: readonly Row[]): readonly Row[] =>
  rows.filter(
    ({ side, server }, index) =>
      index === rows.findIndex((row) => row.side === side && row.server.name === server.name),
  );

const textOf = (value: number | undefined, none: string): string =>
  value === undefined || Number.isNaN(value) ? none : String(value);

/** RFC 4180. */
const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
