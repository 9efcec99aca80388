/** How times and counts are written for people. */

/** A length of time: `8s`, `1m 12s`, `2h 03m`, `3d 4h`. Less than a second is `0s`; negative counts as nothing. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)}d ${hours % 24}h`;
  if (hours > 0) return `${hours}h ${twoDigits(minutes % 60)}m`;
  return minutes > 0 ? `${minutes}m ${twoDigits(seconds % 60)}s` : `${seconds}s`;
}

/** A length of time that is over: as `duration`, but `0.3s` and `2.5s` where a second would be too coarse. */
export function took(ms: number): string {
  const tenths = Math.round(ms / 100);
  return ms < 10_000 ? `${Math.max(0, tenths) / 10}s` : duration(ms);
}

/** A guess of a length of time, without a precision that it does not have. */
export function roughly(ms: number): string {
  if (ms < 90_000) return `about ${Math.max(1, Math.ceil(ms / 5_000) * 5)}s`;
  if (ms < 5_400_000) return `about ${Math.round(ms / 60_000)}m`;
  return `about ${Math.round(ms / 3_600_000)}h`;
}

const twoDigits = (number: number) => String(number).padStart(2, '0');

/** `12:03:04Z`: the time of day in UTC, the same wherever a log is read. */
export const timeOfDay = (at: number): string => `${new Date(at).toISOString().slice(11, 19)}Z`;

/** A moment as it is told at `now`: the time of day on the same day (UTC), else with its date. */
export const moment = (at: number, now: number): string =>
  new Date(at).toISOString().slice(0, 10) === new Date(now).toISOString().slice(0, 10)
    ? timeOfDay(at)
    : dateAndTime(at);

/** `2026-03-01 12:03Z`. */
export const dateAndTime = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')}Z`;

/** `1 target`, `2 targets`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** Columns under a head, as wide as their widest cell; the last one is not filled up. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

type Verbal = { readonly verb: string; readonly hard: boolean; readonly version: string | null };

/** `deploy 2.0.0`, `restart hard`. */
export const whatOf = ({ verb, hard, version }: Verbal): string =>
  [verb, hard ? 'hard' : '', version ?? ''].filter((part) => part !== '').join(' ');
