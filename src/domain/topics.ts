/** Topics of the doorbell (`Bell`). Drivers wait on this one: a deployment may have something to do. */
export const DRIVER_TOPIC = 'driver';

/** Workers of a pool wait on this one: there may be a task or a cancel for the pool. */
export const poolTopic = (pool: string): string => `pool/${pool}`;
