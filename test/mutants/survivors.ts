/**
 * Planted bugs and deleted guards that no seed shows, each with the reason: a survivor without one is a finding. Guards are
 * named without their line (see `keyOf`).
 */
export const SURVIVORS: Readonly<Record<string, string>> = {};

/** The name of a bug or guard, whatever line it has moved to. */
export const keyOf = (name: string): string => name.replace(/:\d+ /, ' ');
