import type { DeploymentRow, Output } from '../../../src/api/contract.ts';

/** A snapshot is all of them; a change replaces its row, or is a new one. */
export function withItem(rows: readonly DeploymentRow[], item: Output<'overview'>): readonly DeploymentRow[] {
  if (item.kind === 'snapshot') return item.deployments;
  const others = rows.filter(({ id }) => id !== item.deployment.id);
  return [...others, item.deployment].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
}
