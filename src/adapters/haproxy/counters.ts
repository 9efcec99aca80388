import type { AnswerTimes, MemberCounts } from '../../domain/traffic.ts';
import { type Field, statRows } from './table.ts';

/** What tells one process of HAProxy from the next. */
export type Process = { readonly pid: number; readonly uptimeMs: number };

/** `undefined` if the reply to `show info` is none: then it is the text of an error. */
export function parseInfo(reply: string): Process | undefined {
  const pid = /^Pid: (\d+)$/m.exec(reply)?.[1];
  const uptime = /^Uptime_sec: (\d+)$/m.exec(reply)?.[1];
  if (pid === undefined || uptime === undefined) return undefined;
  return { pid: Number(pid), uptimeMs: Number(uptime) * 1_000 };
}

/** `uncounted`: a backend in TCP mode, which sees no status. */
export type CountersReply =
  | { readonly kind: 'counted'; readonly members: readonly MemberCounts[] }
  | { readonly kind: 'uncounted' }
  | { readonly kind: 'refused' };

/** The counters of these servers of a backend, from the reply to `show stat`. */
export function parseCounters(reply: string, backend: string, members: readonly string[]): CountersReply {
  const rows = statRows(reply, backend);
  if (!rows) return { kind: 'refused' };
  const wanted = rows.filter((field) => members.includes(field('svname')));
  if (wanted.some((field) => field('hrsp_5xx') === '')) return { kind: 'uncounted' };
  return { kind: 'counted', members: wanted.map(countsOf) };
}

/**
 * As HAProxy 2.6 counts for a server: its own answers by their status; what it did not answer stands apart (`econ`, `eresp`), once for a
 * request, however often it was tried; and so does what another server had to answer (`wredis`), which `retry-on 503` makes of each 503. An answer
 * that breaks off in its body is counted twice, as answered and as an error. `req_tot` would have answers with a status below 200 too.
 */
function countsOf(field: Field): MemberCounts {
  const sum = (...names: readonly string[]) => names.reduce((all, name) => all + Number(field(name)), 0);
  const unanswered = sum('econ', 'eresp', 'wredis');
  const answered = sum('hrsp_2xx', 'hrsp_3xx', 'hrsp_4xx', 'hrsp_5xx', 'hrsp_other');
  return {
    member: field('svname'),
    requests: answered + unanswered,
    errors: sum('hrsp_5xx') + unanswered,
    ...(answered > 0 && { times: timesOf(field) }),
  };
}

const timesOf = (field: Field): AnswerTimes => ({
  queueMs: Number(field('qtime')),
  connectMs: Number(field('ctime')),
  responseMs: Number(field('rtime')),
  totalMs: Number(field('ttime')),
});
