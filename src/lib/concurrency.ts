/**
 * Calls `work` for each item, at most `limit` at once, and resolves when all are done. A rejection ends its own
 * lane only: the others go on, and the first rejection is thrown when all have ended.
 */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries();
  const lane = async () => {
    for (const [index, item] of queue) await work(item, index);
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, lane));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
}
