import type { DeploymentId } from '../../src/domain/ids.ts';
import type { LabDevice } from '../support/lab-device.ts';
import { LAB_POOL } from '../support/lab-device.ts';
import { processesWith } from '../support/processes.ts';
import type { Sshd } from '../support/sshd.ts';
import type { EdgeProcesses } from './edge-processes.ts';
import { STEPS, type Step, startsOn, type Workload, writtenOn } from './estate.ts';

/** What the hosts, the balancer and Edge say of a deployment that has ended, held against each other. */
export type Account = {
  /** Starts beyond the first one of each command, by the host's own count. */
  readonly duplicateCommands: number;
  readonly commands: number;
  readonly outputBytes: number;
  /** Written on the hosts and not shown by Edge; shown and not written, or shown twice. */
  readonly lostOutputBytes: number;
  readonly extraOutputBytes: number;
  readonly problems: readonly string[];
};

type Accounted = {
  readonly edge: EdgeProcesses;
  readonly hosts: readonly Sshd[];
  readonly workload: Workload;
  readonly deployment: DeploymentId;
  readonly device: LabDevice | undefined;
  /** The steps that are commands of the workload; all if it is left out. */
  readonly steps?: readonly Step[];
  /** `aborted`: a command may not have been started at all, and none runs any more. */
  readonly ends?: 'succeeded' | 'aborted';
  /** What Edge shows of the output; what `edge logs` prints if it is left out. */
  readonly rows?: readonly LogRow[];
};

export async function accountOf(accounted: Accounted): Promise<Account> {
  await accounted.edge.ready();
  const starts = await countStarts(accounted);
  const output = await compareOutput(accounted);
  const judged = accounted.ends === 'aborted' ? await judgeAbort(accounted) : await judgeSuccess(accounted);
  const problems = [...starts.problems, ...output.problems, ...judged];
  return { ...starts, ...output, problems };
}

async function countStarts({ hosts, workload, steps = STEPS, ends }: Accounted) {
  const problems: string[] = [];
  let duplicateCommands = 0;
  for (const host of hosts) {
    const counts = await startsOn(host, workload);
    for (const step of steps) {
      const count = counts.get(step) ?? 0;
      if (count > 1 || (count === 0 && ends !== 'aborted'))
        problems.push(`${host.address} ${step} was started ${count} times`);
      duplicateCommands += Math.max(0, count - 1);
    }
  }
  return { duplicateCommands, commands: hosts.length * steps.length, problems };
}

export type LogRow = { readonly target: string; readonly step: string; readonly text: string };

async function printedLogs({ edge, deployment }: Accounted): Promise<readonly LogRow[]> {
  const printed = await edge.cli('logs', deployment, '--json');
  return printed
    .split('\n')
    .filter(Boolean)
    .map((line): LogRow => JSON.parse(line));
}

/** What Edge shows, against what each command wrote on its host. */
async function compareOutput(accounted: Accounted) {
  const { hosts, workload, steps = STEPS, ends } = accounted;
  const rows = accounted.rows ?? (await printedLogs(accounted));
  const problems: string[] = [];
  let [outputBytes, lostOutputBytes, extraOutputBytes] = [0, 0, 0];
  for (const [n, host] of hosts.entries()) {
    for (const step of steps) {
      const own = rows.filter((row) => row.target === `host-${n + 1}` && row.step === step);
      const shown = Buffer.from(own.map(({ text }) => text).join(''));
      const all = await writtenOn(host, workload, step);
      // Nobody listens to a command that is being ended: what is shown is the beginning of what it wrote.
      const written = ends === 'aborted' ? all.subarray(0, shown.length) : all;
      outputBytes += written.length;
      lostOutputBytes += Math.max(0, written.length - shown.length);
      extraOutputBytes += Math.max(0, shown.length - written.length);
      if (shown.equals(written)) continue;
      const at = shown.findIndex((byte, index) => byte !== written[index]);
      problems.push(
        `host-${n + 1} ${step}: ${shown.length} bytes shown, ${written.length} written, differ at ${at}`,
      );
    }
  }
  return { outputBytes, lostOutputBytes, extraOutputBytes, problems };
}

async function judgeSuccess(accounted: Accounted): Promise<readonly string[]> {
  return [...(await judgeEnd(accounted)), ...(await judgeBalancer(accounted))];
}

/** Aborted as it was asked to be, nothing of it runs, and whatever member is out of service is known to be. */
async function judgeAbort({ edge, deployment, workload, device }: Accounted): Promise<readonly string[]> {
  const { deployment: row } = await edge.client.deployment({ deployment });
  const problems: string[] = [];
  if (row.status !== 'aborted') problems.push(`it ended ${row.status}: ${row.reason}`);
  const running = await processesWith(workload.name);
  if (running.length > 0) problems.push(`${running.length} processes still run: ${running[0]?.command}`);
  const states = (await device?.balancer.members(LAB_POOL, AbortSignal.timeout(10_000))) ?? [];
  const out = states.filter(({ admin }) => admin !== 'enabled').length;
  const { projectEnvironments } = await edge.client.status({ project: 'crash', environment: 'lab' });
  const parked = projectEnvironments.flatMap((one) => one.parked).length;
  if (out > parked) problems.push(`${out} members are out of service, and ${parked} targets are parked`);
  return problems;
}

/** Succeeded, with the one command that was to fail as its one exception, and its exit status told. */
async function judgeEnd({ edge, workload, deployment }: Accounted): Promise<readonly string[]> {
  const { deployment: row } = await edge.client.deployment({ deployment });
  const { events } = await edge.client.deploymentEvents({ deployment, limit: 1_000 });
  const failures = events.flatMap(({ event }) => (event.kind === 'task.failed' ? [event.error.message] : []));
  const problems: string[] = [];
  if (row.status !== 'succeeded') problems.push(`it ended ${row.status}: ${row.reason}`);
  const expected = workload.lastExit > 0 ? 1 : 0;
  if (row.exceptions !== expected) problems.push(`${row.exceptions} exceptions, not ${expected}`);
  if (failures.length !== expected)
    problems.push(`${failures.length} tasks failed, not ${expected}: ${failures}`);
  if (failures.some((message) => !message.includes(`exit status ${workload.lastExit}.`)))
    problems.push(`the exit status is told wrong: ${failures}`);
  const unknown = events.filter(({ event }) => event.kind === 'task.unknown').length;
  if (unknown > 0) problems.push(`${unknown} tasks are unknown`);
  return problems;
}

/** All members are enabled again, but that of a target that failed: it is parked. */
async function judgeBalancer({ device, workload, edge }: Accounted): Promise<readonly string[]> {
  if (!device) return [];
  const states = await device.balancer.members(LAB_POOL, AbortSignal.timeout(10_000));
  const out = states.filter(({ admin }) => admin !== 'enabled').map(({ member }) => member);
  const { projectEnvironments } = await edge.client.status({ project: 'crash', environment: 'lab' });
  const parked = projectEnvironments.flatMap((one) => one.parked);
  const expected = workload.lastExit > 0 ? 1 : 0;
  if (out.length === expected && parked.length === expected) return [];
  return [`out of service: ${out.join(', ') || 'none'}; parked: ${parked.length}`];
}
