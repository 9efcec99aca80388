/** Topics of the doorbell (`Bell`). Drivers wait on this one: a deployment may have something to do. */
export const DRIVER_TOPIC = 'driver';

/** Who watches waits on this one: some deployment has new events or output. */
export const WATCH_TOPIC = 'watch';

/** Workers of a pool wait on this one: there may be a task or a cancel for the pool. */
export const poolTopic = (pool: string): string => `pool/${pool}`;
