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
const metricSetPairs = z.array(metricSetPair);

/** Throws `samples_invalid`. */
export function kayentaPairsIn(text: string, file: string): readonly Pair[] {
  return valid(metricSetPairs, listIn(parsed(text, file)), file).map(({ name, tags, values }) => ({
    ...{ name, tags: tags ?? {} },
    ...{ baseline: values.control, canary: values.experiment },
  }));
}

/** Throws `samples_invalid`. */
export const kayentaConfigIn = (text: string, file: string): KayentaConfig =>
  valid(kayentaConfig, parsed(text, file), file);

const listIn = (given: unknown): unknown =>
  typeof given === 'object' && given !== null && 'metricSetPairList' in given
    ? given.metricSetPairList
    : given;

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new EdgeError('samples_invalid', `${file} is not valid JSON`, { where: { file } });
  }
}

function valid<T>(schema: z.ZodType<T>, given: unknown, file: string): T {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const at = issue?.path.join('.');
  const message = `${file} is not what Kayenta keeps: ${at ? `${at}: ` : ''}${issue?.message}`;
  throw new EdgeError('samples_invalid', message, { where: { file } });
}
