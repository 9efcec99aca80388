import { useEffect, useState } from 'react';
import { duration } from '../../../src/words/format.ts';

/** This moment, told again every so often. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

const absolute = new Intl.DateTimeFormat(undefined, {
  ...{ year: 'numeric', month: 'short', day: 'numeric' },
  ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZoneName: 'short' },
});

/** How long ago, with the exact time of the zone that its reader is in behind it. */
export function Ago({ at, now }: { readonly at: number; readonly now: number }) {
  const ms = now - at;
  return (
    <time dateTime={new Date(at).toISOString()} title={absolute.format(at)} className="nowrap">
      {ms < 5_000 ? 'just now' : `${duration(ms)} ago`}
    </time>
  );
}

const hours = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

export function TimeOfDay({ at }: { readonly at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={absolute.format(at)}>
      {hours.format(at)}
    </time>
  );
}

export const exactTime = (at: number): string => absolute.format(at);
