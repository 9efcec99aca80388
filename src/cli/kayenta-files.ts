import { z } from 'zod';
import type { Pair } from '../analysis/kayenta/series.ts';
import { EdgeError } from '../domain/errors.ts';
import { type KayentaConfig, kayentaConfig } from '../domain/kayenta-config.ts';

/** What is no number to JSON is a word to Kayenta. */
const value = z
  .union([z.number(), z.literal('NaN'), z.null()])
  .transform((given) => (typeof given === 'number' ? given : Number.NaN));

/** A list of Kayenta's metric set pairs, as its API gives it; of a whole judgement's file the list in it. */
const metricSetPair = z.object({
  name: z.string().min(1),
  tags: z.record(z.string(), z.string()).nullish(),
  values: z.object({ control: z.array(value), experiment: z.array(value) }),
});
const metricSetPairs = z.union([
  z.array(metricSetPair),
  z
    .object({ metricSetPairList: z.array(metricSetPair) })
    .transform(({ metricSetPairList }) => metricSetPairList),
]);

/** Throws `samples_invalid`. */
export function kayentaPairsIn(text: string, file: string): readonly Pair[] {
  return valid(metricSetPairs, text, file).map(({ name, tags, values }) => ({
    ...{ name, tags: tags ?? {} },
    ...{ baseline: values.control, canary: values.experiment },
  }));
}

/** Throws `samples_invalid`. */
export const kayentaConfigIn = (text: string, file: string): KayentaConfig =>
  valid(kayentaConfig, text, file);

function valid<T>(schema: z.ZodType<T>, text: string, file: string): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new EdgeError('samples_invalid', `${file} is not valid JSON`, { where: { file } });
  }
  const read = schema.safeParse(parsed);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const at = issue?.path.join('.');
  throw new EdgeError(
    'samples_invalid',
    `${file} is not what Kayenta keeps: ${at ? `${at}: ` : ''}${issue?.message}`,
    {
      where: { file },
    },
  );
}
