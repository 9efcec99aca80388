/** How many people must approve a deployment before it starts, and how long it may wait for them. */
export type Approvals = { readonly count: number; readonly limitMs: number };

/** What is still missing, in words. */
export function waitsFor({ count }: Pick<Approvals, 'count'>, given: number): string {
  const left = count - given;
  return `waits for ${left} ${given > 0 ? 'more ' : ''}approval${left === 1 ? '' : 's'}`;
}
