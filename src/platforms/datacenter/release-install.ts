import { z } from 'zod';
import { defineAction } from '../../actions/define.ts';
import { bring, cancelBringing, releaseInstallInputs } from './bring-release.ts';

const outputs = z.strictObject({ folder: z.string(), release: z.string() });

/**
 * Brings a release to a host and makes it the current one: artifacts are uploaded against their digest and unpacked into
 * `releases/<release id>` unless that is whole already, and, with `anew`, as it was put there; property files are made and put beside
 * them; then the link `current` is switched, by a rename. Done twice it changes nothing.
 */
export const releaseInstall = defineAction({
  name: 'release.install',
  major: 5,
  inputs: releaseInstallInputs,
  outputs,
  fences: true,
  async apply(context, inputs) {
    const { state, outcome } = await bring(context, inputs, 'edge-install');
    if (outcome) return outcome;
    const { id } = inputs.release;
    return { kind: 'done', outputs: { folder: `${state.folder}/releases/${id}`, release: id } };
  },
  cancel: (context, inputs) => cancelBringing(context, inputs, 'edge-install'),
});

/**
 * Workers of before know no property files, of no fetch, only files of their own machine, or take what is whole as it is; plans without
 * any are for them too.
 */
export const EARLIER_INSTALLS = [1, 2, 3, 4].map((major) => ({ ...releaseInstall, major }));
