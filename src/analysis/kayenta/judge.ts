import type { KayentaConfig } from '../../domain/kayenta-config.ts';
import { type Classified, classify } from './classify.ts';
import { type Score, scoreOf } from './score.ts';
import type { Pair } from './series.ts';

export type MetricResult = Classified & {
  readonly name: string;
  readonly tags: Pair['tags'];
  readonly groups: readonly string[];
  /** It is shown, and counts nowhere. */
  readonly isMuted: boolean;
};

export type Judgement = Score & { readonly results: readonly MetricResult[] };

/**
 * Judges what was measured of a canary as Kayenta's NetflixACAJudge-v1.0 would: the same labels, the same score. For those who come from
 * Spinnaker and compare; CANARY.md section 1.6 lists what it does not see. Pairs of metrics that the configuration does not name are left out.
 */
export function judge(config: KayentaConfig, pairs: readonly Pair[]): Judgement {
  const results = config.metrics.flatMap(({ name, groups, analysisConfigurations: { canary: rules } }) =>
    pairs
      .filter((pair) => pair.name === name)
      .map((pair) => ({ name, tags: pair.tags, groups, isMuted: rules.muted, ...classify(pair, rules) })),
  );
  const counting = results.filter(({ isMuted }) => !isMuted);
  return { ...scoreOf(counting, config.classifier), results };
}
