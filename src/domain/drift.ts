import { z } from 'zod';

/**
 * What a look at a target has found: where what is there differs from what Edge put there, what could not be looked at and why, and
 * files that were not put there. Small, since it stands in the log; `more` counts what is left out.
 */

export const DRIFT_KINDS = ['current', 'release', 'property-file', 'file'] as const;
export const DRIFT_WAYS = ['missing', 'changed', 'mode', 'elsewhere'] as const;

export const driftSchema = z.strictObject({
  /** The link `current`, the folder of the release, one of its property files, or a file of an artifact. */
  what: z.enum(DRIFT_KINDS),
  /** Below the folder of the release; of the link and the release, below the folder of the project. */
  path: z.string(),
  how: z.enum(DRIFT_WAYS),
  /** Of a mode and of a link: what is there, and what was put there. */
  found: z.string().exactOptional(),
  wanted: z.string().exactOptional(),
  /** A secret stands in it, which may have been changed where it is kept. */
  secret: z.literal(true).exactOptional(),
});
export type Drift = z.infer<typeof driftSchema>;

export const lookSchema = z.strictObject({
  differs: z.array(driftSchema),
  moreDiffers: z.int(),
  unknown: z.array(z.string()),
  added: z.array(z.string()),
  moreAdded: z.int(),
});
export type Look = z.infer<typeof lookSchema>;

/** For people, such as `conf/app.conf was changed`. */
export function driftText({ path, how, found, wanted, secret }: Drift): string {
  switch (how) {
    case 'missing':
      return `${path} is missing`;
    case 'changed':
      return `${path} was changed${secret ? ', or a secret in it was' : ''}`;
    case 'mode':
      return `${path} has the mode ${found}, not ${wanted}`;
    case 'elsewhere':
      return `${path} leads to ${found}, not to ${wanted}`;
    default:
      return how satisfies never;
  }
}
