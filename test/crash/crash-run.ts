import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { DeploymentId } from '../../src/domain/ids.ts';
import { type LabDevice, startLabDevice } from '../support/lab-device.ts';
import type { SshdFleet } from '../support/sshd.ts';
import { until } from '../support/until.ts';
import { type Account, accountOf } from './account.ts';
import { type EdgeProcesses, startEdge } from './edge-processes.ts';
import { configurationOf, prepareHosts, STEPS, type Workload } from './estate.ts';
import { between, type Kill, type Random, type Scenario } from './scenarios.ts';
import { StoreObserver } from './store-observer.ts';

export type CrashResult = Account & {
  readonly scenario: Scenario;
  /** From each kill to the first thing that its successor did for the deployment. */
  readonly resumes: readonly { readonly kill: Kill; readonly ms: number }[];
  /** Without proof of death: from the kill to the first write that the new worker made known. */
  readonly quarantineMs: number | null;
  readonly problems: readonly string[];
  /** Where the logs and the store are, if there was a problem. */
  readonly folder: string | null;
};

export type CrashOptions = {
  readonly scenario: Scenario;
  readonly fleet: SshdFleet;
  readonly random: Random;
  readonly workload: Workload;
};

const RESUME_LIMIT_MS = 120_000;
const END_LIMIT_MS = 240_000;
const LOOK_MS = 10;
/** A drain is looked at by one worker for longer than this before it becomes a wait that nobody holds. */
const MOST_DRAIN_MS = 800;
/** As src/adapters/sql/claim.ts has it. */
const QUARANTINE_MS = 60_000;

/** One deployment that is crashed on its way, and what came of it. All processes that it started have ended then. */
export async function crashRun(options: CrashOptions): Promise<CrashResult> {
  const { scenario, fleet, random, workload } = options;
  const folder = await mkdtemp(join(tmpdir(), 'edge-crash-'));
  await prepareHosts(fleet);
  const device = scenario.balancer ? await startLabDevice() : undefined;
  const hosts = device ? fleet.hosts.slice(0, device.members.length) : fleet.hosts;
  let isClean = false;
  try {
    const edge = await startEdge({ setup: scenario.setup, folder });
    try {
      const canary = between(random, 0, 1);
      const text = await configurationOf({
        hosts,
        workload,
        strategy: { canary, batches: ['100%'], settleMs: 200 },
        device,
        folder,
      });
      await edge.client.applyConfiguration({ files: [{ path: 'crash.yaml', text }], dryRun: false });
      const trip = new Trip({ ...options, edge, device });
      const deployment = await trip.travel();
      const account = await accountOf({ edge, hosts, workload, deployment, device });
      const problems = [...trip.problems, ...account.problems];
      const { resumes, quarantineMs } = trip;
      isClean = problems.length === 0;
      return { ...account, scenario, resumes, quarantineMs, problems, folder: isClean ? null : folder };
    } finally {
      await edge.stop();
    }
  } finally {
    await device?.dispose();
    if (isClean) await rm(folder, { recursive: true, force: true });
  }
}

type TripOptions = CrashOptions & {
  readonly edge: EdgeProcesses;
  readonly device: LabDevice | undefined;
};

/** A deployment from its start to its end, with the kills in between. */
class Trip {
  readonly #options: TripOptions;
  readonly #store: StoreObserver;
  readonly resumes: { kill: Kill; ms: number }[] = [];
  readonly problems: string[] = [];
  quarantineMs: number | null = null;
  #held: readonly (() => void)[] = [];

  constructor(options: TripOptions) {
    this.#options = options;
    this.#store = new StoreObserver(options.edge.dataFolder);
  }

  async travel(): Promise<DeploymentId> {
    const { edge, scenario, device } = this.#options;
    try {
      if (device) this.#held = await occupyAll(device);
      const request = { project: 'crash', environment: 'lab', version: '1.0.0', reason: 'crash' };
      const { deployment } = await edge.client.deploy(request);
      for (const kill of scenario.kills) await this.#round(kill);
      await until('the deployment ends', () => this.#store.hasEnded(), END_LIMIT_MS);
      if (this.resumes.length === 0 && scenario.proof) this.problems.push('it was over before it was hit');
      return deployment;
    } finally {
      this.#letGo();
      this.#store.close();
    }
  }

  #letGo(): void {
    for (const release of this.#held) release();
    this.#held = [];
  }

  async #round(kill: Kill): Promise<void> {
    const { scenario, random, workload } = this.#options;
    const isDue = () => (scenario.balancer ? this.#store.drains() : this.#store.workedAt(0) !== null);
    await until('the deployment is under way', () => isDue() || this.#store.hasEnded(), END_LIMIT_MS);
    await wait(between(random, 0, scenario.balancer ? MOST_DRAIN_MS : durationMs(workload) / 3));
    if (this.#store.hasEnded()) return;
    const strike = await this.#strike(kill);
    const resumedAt = await this.#resumed(strike);
    this.#letGo();
    if (resumedAt === null)
      this.problems.push(`it did not go on within ${RESUME_LIMIT_MS} ms after: ${kill}`);
    else if (!scenario.proof) await this.#noteQuarantine(strike.killedAt);
    else if (resumedAt !== 'ended') this.resumes.push({ kill, ms: resumedAt - strike.killedAt });
  }

  /** Kills, once or twice. Whoever works in the end is none of those that worked before. */
  async #strike(kill: Kill): Promise<Strike> {
    const { scenario, random } = this.#options;
    const before = { workers: new Set(this.#store.owners()), drivers: new Set(this.#store.drivers()) };
    let times = await this.#kill(kill);
    if (scenario.twice) {
      await wait(between(random, 0, 1_200));
      for (const owner of this.#store.owners()) before.workers.add(owner);
      for (const driver of this.#store.drivers()) before.drivers.add(driver);
      times = await this.#kill(kill);
    }
    return { kill, ...times, ...before };
  }

  async #kill(kill: Kill): Promise<{ readonly killedAt: number; readonly bornAt: number }> {
    const { edge, scenario, fleet } = this.#options;
    const killedAt = Date.now();
    switch (kill) {
      case 'cut':
        await Promise.all(fleet.hosts.map((host) => host.killSessions()));
        return { killedAt, bornAt: Date.now() };
      case 'server':
        return edge.server.kill();
      case 'worker':
        return edge.worker.kill(scenario.proof ? undefined : edge.strangerArgs);
      case 'both': {
        const killed = await Promise.all([edge.server.kill(), edge.worker.kill()]);
        return { killedAt, bornAt: Math.max(...killed.map(({ bornAt }) => bornAt)) };
      }
      default:
        return kill satisfies never;
    }
  }

  /** When the successors had done something for the deployment; `ended`: there was nothing left to do. */
  async #resumed(strike: Strike): Promise<number | 'ended' | null> {
    const end = performance.now() + RESUME_LIMIT_MS;
    while (performance.now() < end) {
      const at = this.#doneAt(strike);
      if (at.every((one) => one !== null)) return Math.max(...at);
      if (this.#store.hasEnded()) return 'ended';
      await wait(LOOK_MS);
    }
    return null;
  }

  /** What each of those that were killed has to be followed by; `null`: not yet. */
  #doneAt({ kill, bornAt, workers, drivers }: Strike): readonly (number | null)[] {
    const { setup, balancer } = this.#options.scenario;
    if (kill === 'cut') return [this.#store.readAt(bornAt)];
    const driven = this.#store.drivenAt(drivers);
    const isWorkerKilled = kill !== 'server' || setup === 'one';
    // The store shows no output while members are drained, but who has the task.
    const taken = this.#store.isTaken(workers) ? Date.now() : null;
    const worked = balancer && isWorkerKilled ? taken : this.#store.workedAt(bornAt);
    if (kill === 'worker' && setup !== 'one') return [worked];
    return setup === 'folder' && kill === 'server' ? [driven] : [driven, worked];
  }

  /** Nothing was made known of the drained members before this. */
  async #noteQuarantine(killedAt: number): Promise<void> {
    const drained = () => this.#store.workedAt(killedAt + 1);
    await until('the members are drained', () => drained() !== null, END_LIMIT_MS);
    this.quarantineMs = (drained() ?? 0) - killedAt;
    if (this.quarantineMs < QUARANTINE_MS) this.problems.push(`${this.quarantineMs} ms of quarantine only`);
  }
}

type Strike = {
  readonly kill: Kill;
  readonly killedAt: number;
  /** When the successors were started, or the last connection had been cut. */
  readonly bornAt: number;
  readonly workers: ReadonlySet<string>;
  readonly drivers: ReadonlySet<string>;
};

/** About how long a target takes. */
const durationMs = ({ steps }: Workload): number =>
  STEPS.reduce((sum, step) => sum + steps[step].lines * 120, 0);

async function occupyAll(device: LabDevice): Promise<readonly (() => void)[]> {
  const releases: (() => void)[] = [];
  for (const member of device.members) releases.push(await device.occupy(member));
  return releases;
}
