import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLabDevice } from '../../support/lab-device.ts';
import { type MemberServer, startMemberServer } from '../../support/member-server.ts';
import type { SshdFleet } from '../../support/sshd.ts';
import { accountOf } from '../account.ts';
import { type EdgeProcesses, startEdge } from '../edge-processes.ts';
import { prepareHosts } from '../estate.ts';
import { environmentOf, type Noted, notesIn } from './arming.ts';
import type { CrashPoint } from './catalogue.ts';
import { deploy, endOf, steer } from './operator.ts';
import { expectedOf, type PointRunOptions, type Stage, sceneOf } from './scene.ts';
import { type Silence, silenceOf } from './silence.ts';

export type PointResult = {
  readonly options: PointRunOptions;
  /** How many incarnations came by the point, and were struck there. */
  readonly hits: number;
  /** From the last strike to the first thing that the successor did for the deployment; `null`: there was nothing left to do. */
  readonly resumeMs: number | null;
  readonly duplicateCommands: number;
  readonly commands: number;
  readonly problems: readonly string[];
  /** Where the logs and the store are, if there was a problem. */
  readonly folder: string | null;
};

/** Far more than the short commands of a run write. */
const MOST_ROWS = 5_000;

/** One deployment that is struck at one point, and what came of it. All processes that it started have ended then. */
export async function pointRun(options: PointRunOptions): Promise<PointResult> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-point-'));
  await prepareHosts(options.fleet);
  const device = await startLabDevice();
  const pages = await startPages(options.fleet);
  let isClean = false;
  try {
    const result = await struck({ ...options, folder, device, pages });
    isClean = result.hits > 0 && result.problems.length === 0;
    return { ...result, options, folder: isClean ? null : folder };
  } catch (fault) {
    const problems = [`${fault instanceof Error ? fault.message : fault}`];
    return { options, hits: 1, resumeMs: null, duplicateCommands: 0, commands: 0, problems, folder };
  } finally {
    await Promise.all(pages.map((page) => page.kill()));
    await device.dispose();
    if (isClean) await rm(folder, { recursive: true, force: true });
  }
}

/** A health page on each host. */
const startPages = ({ hosts }: SshdFleet): Promise<readonly MemberServer[]> =>
  Promise.all(hosts.map(({ address }, n) => startMemberServer(`page-${n + 1}`, address)));

async function struck(stage: Stage): Promise<Omit<PointResult, 'options' | 'folder'>> {
  const { folder, point, nth, act, strikes, proof } = stage;
  const log = join(folder, 'points.log');
  const armed = { point: point.name, nth, act, strikes };
  const envOf = (role: CrashPoint['role']) =>
    environmentOf({ role, log, armed: role === point.role ? armed : null });
  const env = { server: envOf('server'), worker: envOf('worker') };
  const store = await stage.store.make(stage.name);
  const edge = await startEdge({ setup: 'http', folder, store, env });
  const silence = proof ? undefined : silenceOf({ edge, log, point, act });
  try {
    return await performed(stage, { edge, log, silence });
  } finally {
    await silence?.stop();
    await edge.stop();
  }
}

type Performance = {
  readonly edge: EdgeProcesses;
  readonly log: string;
  readonly silence: Silence | undefined;
};

async function performed(
  stage: Stage,
  { edge, log, silence }: Performance,
): Promise<Omit<PointResult, 'options' | 'folder'>> {
  const { point, fleet, device } = stage;
  const { workload, text } = await sceneOf(stage);
  await edge.client.applyConfiguration({ files: [{ path: 'crash.yaml', text }], dryRun: false });
  const deployment = await deploy(edge);
  await steer(edge, deployment, point.needs);
  await endOf(edge, deployment);
  await silence?.isOver();
  const { hosts } = fleet;
  await edge.ready();
  const { rows } = await edge.client.logs({ deployment, limit: MOST_ROWS });
  const account = await accountOf({ edge, hosts, workload, deployment, device, rows, ...expectedOf(point) });
  const notes = await notesIn(log);
  const { duplicateCommands, commands } = account;
  const problems = [...account.problems, ...(silence?.problemsIn(notes) ?? [])];
  return { ...struckAndResumed(notes, silence), duplicateCommands, commands, problems };
}

function struckAndResumed(
  notes: readonly Noted[],
  silence: Silence | undefined,
): Pick<PointResult, 'hits' | 'resumeMs'> {
  const hits = notes.filter(({ kind }) => kind === 'hit');
  const hit = hits.at(-1);
  if (!hit) return { hits: 0, resumeMs: null };
  const sign = silence?.sign ?? (hit.role === 'server' ? 'drives' : 'works');
  const next = notes.find(
    (note) => note.kind === 'deed' && note.what === sign && note.pid !== hit.pid && note.at >= hit.at,
  );
  return { hits: hits.length, resumeMs: next ? next.at - hit.at : null };
}
