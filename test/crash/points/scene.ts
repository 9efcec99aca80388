import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabDevice } from '../../support/lab-device.ts';
import type { MemberServer } from '../../support/member-server.ts';
import type { SshdFleet } from '../../support/sshd.ts';
import { configurationOf, type Step, type StrategyInput, type Workload } from '../estate.ts';
import type { Act } from './arming.ts';
import type { CrashPoint, Strategy } from './catalogue.ts';
import type { CrashStore } from './stores.ts';

/** One run: what is struck where, and how. */
export type PointRunOptions = {
  readonly point: CrashPoint;
  /** Which passage is struck. */
  readonly nth: number;
  readonly act: Act;
  /** So many incarnations are struck, one after the other. */
  readonly strikes: number;
  /** `false`: nobody can prove that the process is gone. */
  readonly proof: boolean;
  readonly strategy: Strategy;
  readonly store: CrashStore;
  readonly fleet: SshdFleet;
  /** Names the files of this run on the hosts. */
  readonly name: string;
};

/** A run with what it plays with. */
export type Stage = PointRunOptions & {
  readonly folder: string;
  readonly device: LabDevice;
  readonly pages: readonly MemberServer[];
};

const SETTLE_MS = 100;
const SCENES: Readonly<Record<Strategy, { readonly strategy: StrategyInput; readonly zones?: number }>> = {
  batch: { strategy: { canary: 0, batches: ['100%'], settleMs: SETTLE_MS } },
  growing: { strategy: { canary: 1, batches: [2, '100%'], settleMs: SETTLE_MS } },
  zones: {
    strategy: { canary: 0, batches: ['100%'], zones: 'side-by-side', settleMs: SETTLE_MS },
    zones: 2,
  },
};

/** Commands are over in less than half a second; those that are to be aborted last until they are. */
const LINES = { short: 2, long: 60 };

/** What is deployed, where and how. */
export async function sceneOf(stage: Stage): Promise<{ readonly workload: Workload; readonly text: string }> {
  const { point, folder, fleet, device, name } = stage;
  const behaviour = { lines: point.needs === 'abort' ? LINES.long : LINES.short, burstBytes: 0 };
  const steps = { stop: behaviour, install: behaviour, start: behaviour };
  const workload = { name, steps, lastExit: 0 };
  const artifact = point.needs === 'artifact' ? join(folder, 'app') : undefined;
  if (artifact) await writeFile(artifact, `the release of ${name}\n`);
  const hosts = fleet.hosts.slice(0, device.members.length);
  const health = healthOf(stage);
  const text = await configurationOf({
    ...SCENES[stage.strategy],
    ...{ hosts, workload, device, folder, artifact, health },
  });
  return { workload, text };
}

function healthOf({ point, pages }: Stage) {
  const ports = pages.map(({ port }) => port);
  return { check: point.needs === 'tcp' ? { kind: 'tcp' } : { kind: 'http', path: '/health' }, ports };
}

/** What is to be found in the end. */
export function expectedOf({ needs }: CrashPoint): {
  readonly steps?: readonly Step[];
  readonly ends?: 'aborted';
} {
  if (needs === 'artifact') return { steps: ['stop', 'start'] };
  return needs === 'abort' ? { ends: 'aborted' } : {};
}
