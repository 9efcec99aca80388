import { z } from 'zod';
import { commandFailed } from '../../actions/own-command.ts';
import {
  type CommandEnd,
  cancelCommand,
  type Dispatched,
  dispatched,
  endEarlierGroups,
  type RemoteCommand,
  remoteIdOf,
  runCommand,
} from '../../actions/remote-command.ts';
import { hostAddress, plannedFiles, plannedRelease } from '../../actions/schemas.ts';
import { type PlannedArtifact, placeText, unpackOnHost } from '../../domain/artifact.ts';
import { asEdgeError, EdgeError } from '../../domain/errors.ts';
import { remoteFolderField } from '../../domain/fields.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { sha256 } from '../../lib/hash.ts';
import { tar } from '../../lib/tar.ts';
import type { ActionContext, Cancelled } from '../../ports/action.ts';
import type { UploadFile } from '../../ports/hosts.ts';
import { fillFiles } from './fill-files.ts';
import { GONE, INSTALL, MARKER, markerText } from './install-script.ts';

/** `folder` holds `releases/` and `current`; `keep`: how many releases stay, never without the current and the previous one. */
export const releaseInstallInputs = z.strictObject({
  host: hostAddress,
  folder: remoteFolderField,
  keep: z.int().min(1),
  release: plannedRelease,
  /** Left out where the release has no property files. */
  files: plannedFiles.optional(),
  /** Artifacts are left out: the team installs them by a command of its own. */
  filesOnly: z.boolean().optional(),
  /** The folder as the host has it: `release.fetch` has brought the artifacts there. */
  fetched: remoteFolderField.optional(),
  /** Where it is whole its files are looked at, and it is put there anew if one is not as it was. Left out: no. */
  anew: z.boolean().optional(),
  sudoUser: z.string().optional(),
});
/** `own`: property files that lie there and are not to be put now, so that nobody takes them for changed files of an artifact. */
type Inputs = z.infer<typeof releaseInstallInputs> & { readonly own?: readonly Place[] };
type Place = { readonly path: string; readonly mode: string };
/** What the script does, which has this for its name. */
export type Work = 'edge-install' | 'edge-fetch';

const progress = z.object({
  stage: z.enum(['upload', 'install']),
  /** Counts the commands of this task: after one whose end is unknown comes another one. */
  ordinal: z.number(),
  /** Of those before this one the end was seen. */
  ended: z.number().default(0),
  /** Absolute once something was uploaded, as the host said. */
  folder: z.string(),
  command: dispatched.nullable(),
});
type Progress = z.infer<typeof progress>;

const CANCEL_GRACE_MS = 5_000;

type Brought = { readonly state: Progress; readonly outcome?: Outcome };

/** Uploads and runs the script; with an `outcome` it is not done. What the host has not, or not any more, is sent again. */
export async function bring(context: ActionContext, inputs: Inputs, work: Work): Promise<Brought> {
  let state = stateOf(context, inputs);
  if (context.checkpoint === null) {
    const outcome = await endEarlierGroups(
      context,
      commandOf(context, inputs, { state, work }),
      CANCEL_GRACE_MS,
    );
    if (outcome) return { state, outcome };
  }
  if (state.command === null && state.ended < state.ordinal) {
    const before = await endUnseen(context, inputs, { state, work });
    const why = 'what was run of it before may still run, and nothing was begun';
    if (!before.gone) return { state, outcome: { kind: 'unknown', seen: `${why}: ${before.seen}` } };
    state = { ...state, ended: state.ordinal };
  }
  for (;;) {
    if (state.stage === 'upload') {
      const folder = state.ordinal === 0 ? inputs.fetched : undefined;
      const place = { ...state, folder: folder ?? (await upload(context, inputs, state)) };
      state = { ...place, folder: await uploadFiles(context, inputs, place), stage: 'install' };
      await context.saveCheckpoint(state);
    }
    const end = await runCommand(context, commandOf(context, inputs, { state, work }), following(state));
    if (end.kind === 'exited' && end.code === 0) return { state };
    const mayBeGone = inputs.fetched !== undefined || inputs.anew === true;
    const isGone = end.kind === 'exited' && end.code === GONE && mayBeGone;
    if (!isGone || state.ordinal > 0) {
      const what = `${work === 'edge-fetch' ? 'fetching' : 'installing'} ${inputs.release.id} in ${state.folder}`;
      return { state, outcome: await notDone(context, state, end, what) };
    }
    state = await nextCommand(context, { ...state, ended: state.ordinal + 1 });
  }
}

type At = { readonly state: Progress; readonly work: Work };

/** Ends the commands before this one of which nobody saw the end (see `notDone`): two never work on one release, and none is left behind. */
async function endUnseen(context: ActionContext, inputs: Inputs, { state, work }: At): Promise<Cancelled> {
  for (let ordinal = state.ended; ordinal < state.ordinal; ordinal += 1) {
    const command = commandOf(context, inputs, { state: { ...state, ordinal }, work });
    const how = { wasDispatched: true, graceMs: CANCEL_GRACE_MS };
    const proof = await cancelCommand(context, command, how);
    if (!proof.gone) return proof;
  }
  return { gone: true };
}

/** With another command: whatever the one before has left or still does, an id is started once. */
async function nextCommand(context: ActionContext, { ordinal, ended, folder }: Progress): Promise<Progress> {
  const next = { stage: 'upload', ordinal: ordinal + 1, ended, folder, command: null } as const;
  await context.saveCheckpoint(next);
  return next;
}

export async function cancelBringing(context: ActionContext, inputs: Inputs, work: Work): Promise<Cancelled> {
  const state = stateOf(context, inputs);
  const before = await endUnseen(context, inputs, { state, work });
  if (!before.gone) return before;
  const command = commandOf(context, inputs, { state, work });
  return cancelCommand(context, command, { wasDispatched: state.command !== null, graceMs: CANCEL_GRACE_MS });
}

/** Where nothing is to be uploaded there is nothing to note before the script. */
function stateOf(context: Pick<ActionContext, 'checkpoint'>, inputs: Inputs): Progress {
  const { fetched, files } = inputs;
  const begun = progress.nullable().parse(context.checkpoint);
  if (begun) return begun;
  const isThere = fetched !== undefined && !isMade(files);
  const folder = fetched ?? inputs.folder;
  return { stage: isThere ? 'install' : 'upload', ordinal: 0, ended: 0, folder, command: null };
}

/** Whether there are property files, and they can be made. */
export const isMade = (files: Inputs['files']): files is NonNullable<Inputs['files']> =>
  files !== undefined && files.digest !== null;

/**
 * Sends what the host lacks of a release that is not there whole, or has said that it needs, and gives the folder as the host has it. An
 * upload leaves nothing but files under their digests: whatever goes wrong, it may be done again.
 */
async function upload(context: ActionContext, inputs: Inputs, { ordinal }: Progress): Promise<string> {
  const { host, folder, release, sudoUser } = inputs;
  const unless = {
    path: `${folder}/releases/${release.id}/${MARKER}`,
    sha256: sha256(markerText(release.hash)),
  };
  let place = folder;
  for (const artifact of artifactsOf(inputs)) {
    context.progress(`looks for ${artifact.name}`);
    const mode = artifact.unpack === 'none' ? 0o755 : 0o644;
    const path = incoming(folder, artifact);
    const isNeeded = inputs.anew && ordinal > 0;
    const how = { ...(!isNeeded && { unless }), ...(sudoUser && { sudoUser }) };
    const file = { ...fileOf(context, artifact), path, mode, ...how };
    try {
      const uploaded = await context.ports.hosts.upload(host, file, context.signal);
      place = uploaded.slice(0, -incoming('', artifact).length);
    } catch (thrown) {
      throw context.signal.aborted ? thrown : uploadFailed(artifact, thrown);
    }
  }
  return place;
}

/** Brought to this machine only for a host that needs it, and kept here for the next one. */
function fileOf(context: ActionContext, artifact: PlannedArtifact) {
  const { ports, signal } = context;
  const size = `${artifact.name}, ${artifact.sizeBytes} bytes`;
  const bring: UploadFile['bring'] = (send) => {
    context.progress(`brings ${size}, from ${placeText(artifact)}`);
    return ports.artifacts.hold(artifact, { as: 'sent', signal }, (file) => {
      context.progress(`copies ${size}`);
      return send(file);
    });
  };
  const { sha256, sizeBytes } = artifact;
  return { localPath: placeText(artifact), sha256, sizeBytes, bring };
}

/** What is not of the catalogue concerns the local file: all that the host says is. */
function uploadFailed(artifact: PlannedArtifact, cause: unknown): EdgeError {
  const error = asEdgeError(cause);
  if (error.code !== 'internal') return error;
  const message = `${artifact.name} cannot be copied from ${placeText(artifact)}: ${error.message}`;
  return new EdgeError('artifact_unreadable', message, { cause });
}

const artifactsOf = ({ release, filesOnly }: Inputs) => (filesOnly ? [] : release.artifacts);

/**
 * All property files in one archive, their names in it their places in the list: one way to the host. Gives the folder as the
 * host has it.
 */
async function uploadFiles(context: ActionContext, inputs: Inputs, state: Progress): Promise<string> {
  const { host, files, sudoUser } = inputs;
  if (!isMade(files)) return state.folder;
  context.progress(`makes ${files.files.length} property files`);
  const made = await fillFiles(context.ports.secrets, files);
  const content = tar(made.map((data, index) => ({ path: String(index), mode: 0o600, data })));
  const path = bundleOf(context, state);
  const file = { localPath: 'property files', content, path, sha256: sha256(content), mode: 0o600 };
  const uploaded = await context.ports.hosts.upload(
    host,
    { ...file, ...(sudoUser && { sudoUser }) },
    context.signal,
  );
  return uploaded.slice(0, -bundleOf(context, { ...state, folder: '' }).length);
}

const bundleOf = (context: ActionContext, { folder, ordinal }: Progress): string =>
  `${folder}/releases/.incoming/${remoteIdOf(context.task, ordinal)}`;

const incoming = (folder: string, { sha256 }: PlannedArtifact): string =>
  `${folder}/releases/.incoming/${sha256}`;

function commandOf(context: ActionContext, inputs: Inputs, { state, work }: At): RemoteCommand {
  const { ordinal, folder } = state;
  const { host, release, keep, files, own = [], sudoUser } = inputs;
  const artifacts = artifactsOf(inputs).flatMap((artifact) => {
    return [incoming(folder, artifact), artifact.name, unpackOnHost(artifact.unpack)];
  });
  const token = remoteIdOf(context.task, ordinal);
  if (files && !isMade(files)) artifacts.push('-', 'property files', 'they cannot be made here any more');
  const puts = (isMade(files) ? files.files : own).flatMap(({ path, mode }, index) => [
    String(index),
    path,
    mode,
  ]);
  const bundle = isMade(files) ? bundleOf(context, state) : '';
  const values = [
    folder,
    release.id,
    release.hash,
    String(keep),
    token,
    bundle,
    inputs.anew ? 'anew' : '',
    ...artifacts,
    '--files',
    ...puts,
  ];
  return { host, ordinal, argv: ['sh', '-c', INSTALL, work, ...values], sudoUser };
}

function following(state: Progress) {
  return { dispatched: state.command, checkpoint: (command: Dispatched) => ({ ...state, command }) };
}

/** It may be run twice: where the end of one is unknown, the next attempt begins anew, with another command. */
async function notDone(
  context: ActionContext,
  state: Progress,
  end: CommandEnd,
  what: string,
): Promise<Outcome> {
  if (end.kind === 'exited')
    return { kind: 'failed', error: commandFailed(`\`${what}\``, end), retryable: false };
  if (end.outcome.kind === 'unknown') await nextCommand(context, state);
  return end.outcome;
}
