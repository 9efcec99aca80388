/** Guards that the seed at hand would have missed, while `plant-diverging.ts` observes them. */
export const DIVERGED = new Set<string>();
