import { z } from 'zod';
import { defineAction } from '../../actions/define.ts';
import { bring, cancelBringing, isMade, releaseInstallInputs } from './bring-release.ts';
import { fillFiles } from './fill-files.ts';

export const releaseFetchInputs = releaseInstallInputs.omit({ keep: true, filesOnly: true, fetched: true });

/** `folder`: as the host has it. */
const outputs = z.strictObject({ folder: z.string() });

/**
 * Brings the artifacts of a release to a host and makes it whole there, beside what serves, which it leaves alone: so that all that
 * may be wrong with a host, its disk, the artifacts or a secret is seen before the host is taken out of service, and it is out for the
 * less time. Property files are made to see that they can be, and are not sent: they come with the install.
 */
export const releaseFetch = defineAction({
  name: 'release.fetch',
  major: 3,
  inputs: releaseFetchInputs,
  outputs,
  fences: true,
  async apply(context, inputs) {
    // Once a command may run on the host, only its end is the result.
    if (context.checkpoint === null && isMade(inputs.files))
      await fillFiles(context.ports.secrets, inputs.files);
    const { state, outcome } = await bring(context, artifactsOnly(inputs), 'edge-fetch');
    return outcome ?? { kind: 'done', outputs: { folder: state.folder } };
  },
  cancel: (context, inputs) => cancelBringing(context, artifactsOnly(inputs), 'edge-fetch'),
});

/** A fetch removes nothing, whatever `keep` says. */
function artifactsOnly({ files, ...inputs }: z.infer<typeof releaseFetchInputs>) {
  const own = inputs.anew && files ? { own: files.files } : {};
  return { ...inputs, ...own, keep: 1, ...(files && !isMade(files) && { files }) };
}

/** Workers of before take what is whole as it is, or know only files of their own machine. */
export const EARLIER_FETCHES = [1, 2].map((major) => ({ ...releaseFetch, major }));
