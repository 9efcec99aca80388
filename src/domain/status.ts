/** One list of statuses for deployment, batch, target and task (GLOSSARY.md). */
export const STATUSES = [
  'pending',
  'running',
  'paused',
  'succeeded',
  'failed',
  'skipped',
  'aborted',
  'unknown',
] as const;
export type Status = (typeof STATUSES)[number];

const TERMINAL: ReadonlySet<Status> = new Set(['succeeded', 'failed', 'skipped', 'aborted']);

/** A terminal status of a deployment never changes again (invariant I10). */
export function isTerminal(status: Status): boolean {
  return TERMINAL.has(status);
}
