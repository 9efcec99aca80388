import { z } from 'zod';
import { defineAction } from '../../actions/define.ts';
import { commandFailed } from '../../actions/own-command.ts';
import {
  cancelCommand,
  type Dispatched,
  dispatched,
  type RemoteCommand,
  runCommand,
} from '../../actions/remote-command.ts';
import { hostAddress, plannedFiles, plannedRelease } from '../../actions/schemas.ts';
import { lookSchema } from '../../domain/drift.ts';
import { asEdgeError } from '../../domain/errors.ts';
import { remoteFolderField } from '../../domain/fields.ts';
import type { MadeFile } from '../../domain/property-file.ts';
import { sha256 } from '../../lib/hash.ts';
import type { ActionContext } from '../../ports/action.ts';
import type { Secrets } from '../../ports/secrets.ts';
import { asPlanned, filled } from './fill-files.ts';
import { LOOK } from './look-script.ts';
import { readLook, type WantedFile } from './read-look.ts';

const inputs = z.strictObject({
  host: hostAddress,
  folder: remoteFolderField,
  release: plannedRelease,
  /** Left out where the release has no property files. */
  files: plannedFiles.optional(),
  /** Artifacts were installed by a command of the team's own, and nobody has noted what it did. */
  filesOnly: z.boolean().optional(),
  sudoUser: z.string().optional(),
});
type Inputs = z.infer<typeof inputs>;

/** A finding of every file that could be told is as long as this at most. */
const MOST_OUTPUT = 16 * 1024 * 1024;
const CANCEL_GRACE_MS = 2_000;
const BY_OWN_COMMAND = 'what its own command has installed: Edge has not noted it';

/**
 * Looks at a release that Edge has put on a host: the link `current`, its property files and the files that were unpacked. It only
 * reads. The digests of property files, secrets included, are compared here and go to no host; what comes out has no content.
 */
export const releaseLook = defineAction({
  name: 'release.look',
  major: 1,
  inputs,
  outputs: lookSchema,
  fences: true,
  async apply(context, given) {
    const wanted = {
      ...{ release: given.release.id, hash: given.release.hash },
      files: await wantedFiles(context.ports.secrets, given),
      ...(given.filesOnly && { withoutArtifacts: BY_OWN_COMMAND }),
    };
    const seen: string[] = [];
    const end = await runCommand(context, commandOf(given), {
      dispatched: dispatched.nullable().parse(context.checkpoint),
      checkpoint: (command: Dispatched) => command,
      capture: (text) => void seen.push(text),
    });
    if (end.kind === 'open') return end.outcome;
    if (end.code !== 0) return { kind: 'failed', error: commandFailed('the look', end), retryable: false };
    return { kind: 'done', outputs: readLook(seen.join(''), wanted) };
  },
  cancel: (context, given) => cancelLook(context, given),
});

function cancelLook(context: ActionContext, given: Inputs): ReturnType<typeof cancelCommand> {
  const wasDispatched = context.checkpoint !== null;
  return cancelCommand(context, commandOf(given), { wasDispatched, graceMs: CANCEL_GRACE_MS });
}

function commandOf({ host, folder, release, files, sudoUser }: Inputs): RemoteCommand {
  const paths = (files?.files ?? []).map(({ path }) => path);
  const argv = ['sh', '-c', LOOK, 'edge-look', folder, release.id, ...paths];
  return { host, ordinal: 0, argv, sudoUser, outputLimitBytes: MOST_OUTPUT };
}

async function wantedFiles(secrets: Secrets, { files }: Inputs): Promise<readonly WantedFile[]> {
  if (files === undefined) return [];
  if (files.digest === null)
    return files.files.map(({ path, mode }) => {
      const why = `what ${path} has to be can no longer be told`;
      return { path, mode, hasSecret: false, sha256: null, why };
    });
  return Promise.all(asPlanned(files).map((file) => wantedFile(secrets, file)));
}

/** A secret that cannot be had leaves its file unknown, and nothing else. */
async function wantedFile(secrets: Secrets, file: MadeFile): Promise<WantedFile> {
  const { path, mode, parts } = file;
  const hasSecret = parts.some((part) => typeof part !== 'string');
  try {
    return { path, mode, hasSecret, sha256: sha256(await filled(secrets, file)) };
  } catch (thrown) {
    const { code, message } = asEdgeError(thrown);
    if (code !== 'secret_unavailable') throw thrown;
    return { path, mode, hasSecret, sha256: null, why: `${path}: ${message}` };
  }
}
