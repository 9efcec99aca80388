import { doneOf, type Expected, type Watched } from './watched.ts';

/** From its own pace once a tenth is done, before that from the forecast; `null` when neither says anything. */
export function leftMs({ view: { overall }, expected }: Watched, now: number): Expected | null {
  const { counts, startedAt, stopping } = overall;
  if (startedAt === null || stopping) return null;
  const elapsed = Math.max(0, now - startedAt);
  const done = doneOf(counts);
  if (done > 0 && done * 10 >= counts.total) {
    const ms = (elapsed * (counts.total - done)) / done;
    return { p50Ms: ms, p90Ms: ms };
  }
  if (expected === null || expected.p90Ms <= elapsed) return null;
  return { p50Ms: Math.max(0, expected.p50Ms - elapsed), p90Ms: expected.p90Ms - elapsed };
}
