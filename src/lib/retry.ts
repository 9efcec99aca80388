/** Waits in milliseconds before the second, third, … try; its length is the number of retries. */
export type Backoff = readonly number[];

export type RetryOptions<T> = {
  readonly backoffMs: Backoff;
  /** Is this result worth another try? Asked after every try, also the last one's result is returned as it is. */
  readonly again: (result: T) => boolean;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
};

/** Tries until a result is not worth another try or the backoff is used up; resolves with the last result. */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions<T>): Promise<T> {
  let result = await attempt();
  for (const waitMs of options.backoffMs) {
    if (!options.again(result)) return result;
    await options.sleep(waitMs, options.signal);
    result = await attempt();
  }
  return result;
}
