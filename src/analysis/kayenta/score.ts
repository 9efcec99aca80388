import type { KayentaConfig, ScoreThresholds } from '../../domain/kayenta-config.ts';
import type { MetricLabel } from './classify.ts';

/** A result as the score takes it; a metric counts in every group that it names. */
export type Scored = {
  readonly name: string;
  readonly groups: readonly string[];
  readonly label: MetricLabel;
  readonly isCritical: boolean;
};

export type GroupScore = {
  readonly name: string;
  /** 0 to 100; 0 too where there was nothing to count, which enters the sum as 100. */
  readonly score: number;
  readonly hasNothing: boolean;
  readonly weight: number;
};

export type Score = {
  /** 0 to 100, with two decimals. */
  readonly score: number;
  readonly groups: readonly GroupScore[];
  /** Why the score is what it is, where it is not the sum of its groups. */
  readonly override: string | null;
};

export type ScoreLabel = 'Pass' | 'Marginal' | 'Fail';

/** CANARY.md section 1.4, with its defects 13 and 14. */
export function scoreOf(results: readonly Scored[], { groupWeights }: KayentaConfig['classifier']): Score {
  const groups = groupsOf(results, groupWeights);
  const summed = groups.reduce(
    (sum, { score, hasNothing, weight }) => sum + (hasNothing ? 100 : score) * (weight / 100),
    0,
  );
  const override = overrideOf(results);
  return { score: override === null ? Math.round(summed * 100) / 100 : 0, groups, override };
}

function groupsOf(
  results: readonly Scored[],
  weights: Readonly<Record<string, number>>,
): readonly GroupScore[] {
  const names = [...new Set(results.flatMap(({ groups }) => groups))];
  const configured = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const sharing = names.filter((name) => weights[name] === undefined).length;
  return names.map((name) => {
    const labels = results.flatMap(({ groups, label }) => (groups.includes(name) ? [label] : []));
    const passed = labels.filter((label) => label === 'Pass').length;
    const counted = labels.filter((label) => label !== 'Nodata' && label !== 'Error').length;
    const score = counted === 0 ? 0 : (100 * passed) / counted;
    return { name, score, hasNothing: counted === 0, weight: weights[name] ?? (100 - configured) / sharing };
  });
}

function overrideOf(results: readonly Scored[]): string | null {
  const critical = results.find(({ isCritical, label }) => isCritical && label !== 'Pass');
  if (critical) return `${critical.name} is critical, and ${critical.label}.`;
  const empty = results.filter(({ label }) => label === 'Nodata').length;
  if (empty > 0 && empty >= results.length / 2) return `${empty} of ${results.length} have no data.`;
  return results.length === 0 ? 'There was nothing to judge.' : null;
}

/** Without a threshold to pass whatever is not under the other one passes; without any, all does. */
export function labelOf(
  score: number,
  { pass, marginal = Number.NEGATIVE_INFINITY }: ScoreThresholds,
): ScoreLabel {
  if (score >= (pass ?? marginal)) return 'Pass';
  return score >= marginal ? 'Marginal' : 'Fail';
}
