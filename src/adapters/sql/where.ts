import { VERBS } from '../../domain/plan.ts';
import type { Value } from './operation.ts';

/** Conditions of a WHERE, of which only those count that were asked for. */
export type Condition = readonly [sql: string, value: Value | undefined];

/** Whether a deployment deploys, as `deploys` says: 1 or 0. */
export const DEPLOYS = `(verb IN (${VERBS.map((verb) => `'${verb}'`).join(', ')})) = ?`;

export function whereAll(conditions: readonly Condition[]): {
  readonly sql: string;
  readonly params: Value[];
} {
  const asked = conditions.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]));
  const sql = asked.length === 0 ? '' : `WHERE ${asked.map((one) => one.sql).join(' AND ')}`;
  return { sql, params: asked.map((one) => one.value) };
}
