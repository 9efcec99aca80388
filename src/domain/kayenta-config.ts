import { z } from 'zod';

/** What the judge takes from a word that it does not know: Kayenta reads any other as the default. */
const wordOr = <const Words extends readonly [string, ...string[]]>(...words: Words) =>
  z
    .enum(words)
    .catch(words[0] as Words[number])
    .default(words[0] as Words[number]);

const thresholdsOf = z.object({
  measure: wordOr('meanRatio', 'cles'),
  allowedIncrease: z.number().optional(),
  allowedDecrease: z.number().optional(),
  criticalIncrease: z.number().optional(),
  criticalDecrease: z.number().optional(),
});

/** How one metric is judged: `analysisConfigurations.canary` of a metric (CANARY.md section 1). */
const metricRules = z.object({
  direction: wordOr('either', 'increase', 'decrease'),
  nanStrategy: wordOr('remove', 'replace'),
  critical: z.boolean().default(false),
  mustHaveData: z.boolean().default(false),
  muted: z.boolean().default(false),
  outliers: z
    .object({ strategy: wordOr('keep', 'remove'), outlierFactor: z.number().positive().default(3) })
    .prefault({}),
  effectSize: thresholdsOf.prefault({}),
});
export type MetricRules = z.infer<typeof metricRules>;

const metric = z.object({
  name: z.string().min(1),
  groups: z.array(z.string()).default([]),
  analysisConfigurations: z.object({ canary: metricRules.prefault({}) }).prefault({}),
});
export type MetricConfig = z.infer<typeof metric>;

/** A canary configuration as Kayenta keeps it: what its judge reads of the file, and nothing of the queries. */
export const kayentaConfig = z.object({
  name: z.string().min(1),
  metrics: z.array(metric).min(1),
  classifier: z.object({ groupWeights: z.record(z.string(), z.number()).default({}) }).prefault({}),
});
export type KayentaConfig = z.infer<typeof kayentaConfig>;

/** Kayenta's thresholds for a score; either may be left out. */
export type ScoreThresholds = { readonly pass?: number; readonly marginal?: number };
