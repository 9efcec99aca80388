import { chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InlineStrategy } from '../../src/domain/strategy.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import type { LabDevice } from '../support/lab-device.ts';
import { OPERATOR } from '../support/lab-device.ts';
import type { Sshd, SshdFleet } from '../support/sshd.ts';

export type Step = 'stop' | 'install' | 'start';
export const STEPS: readonly Step[] = ['stop', 'install', 'start'];

/** How a command of one run behaves. */
type Behaviour = {
  /** Lines, eight a second. */
  readonly lines: number;
  /** Bytes written at once in the middle. */
  readonly burstBytes: number;
};
export type Workload = {
  /** Names the files that the commands of this run leave on the hosts. */
  readonly name: string;
  readonly steps: Readonly<Record<Step, Behaviour>>;
  /** The exit status of the last step on the last target. */
  readonly lastExit: number;
};

/**
 * What every command does. It counts itself in a file on its host, and writes each byte of its output to another one as
 * well: what Edge shows is held against these. The stamps say when a line was made. Not all of it is ASCII.
 */
const COMMAND = `
run=$1 step=$2 lines=$3 burst=$4
echo "$step" >> "$run.started"
say() { tee -a "$run.$step.out"; }
pad=$(head -c 480 /dev/zero | tr '\\0' x)
n=0
while [ "$n" -lt "$lines" ]; do
  n=$((n + 1))
  echo "@$(date +%s%3N) $step $n é漢😀 $pad" | say
  if [ "$n" -eq "$((lines / 2))" ] && [ "$burst" -gt 0 ]; then head -c "$burst" /dev/urandom | base64 -w 200 | say; fi
  sleep 0.11
done
if [ "$step" = start ]; then exit "\${CRASH_EXIT:-0}"; fi
`;

/** When the newest line in this piece of output was made, ms since the epoch. */
export function lastStamp(text: string): number {
  return Number(text.slice(text.lastIndexOf('@')).match(/^@(\d{13}) /)?.[1] ?? 0);
}

const FOLDER = 'app';

export async function prepareHosts({ hosts }: SshdFleet): Promise<void> {
  for (const { home } of hosts) {
    const { uid, gid } = await stat(home);
    await mkdir(join(home, FOLDER), { recursive: true });
    await chown(join(home, FOLDER), uid, gid);
  }
}

/** How often each step was started on a host, by the host's own count. */
export async function startsOn({ home }: Sshd, { name }: Workload): Promise<ReadonlyMap<string, number>> {
  const text = await readFile(join(home, FOLDER, `${name}.started`), 'utf8').catch(() => '');
  const counts = new Map<string, number>();
  for (const step of text.split('\n').filter(Boolean)) counts.set(step, (counts.get(step) ?? 0) + 1);
  return counts;
}

/** What the command of this step wrote. */
export async function writtenOn({ home }: Sshd, { name }: Workload, step: Step): Promise<Buffer> {
  return readFile(join(home, FOLDER, `${name}.${step}.out`)).catch(() => Buffer.alloc(0));
}

/** What a strategy file may leave out, left out. */
export type StrategyInput = Partial<Omit<InlineStrategy, 'drain'>>;

export type ConfigurationOptions = {
  readonly hosts: readonly Sshd[];
  readonly workload: Workload;
  readonly strategy: StrategyInput;
  /** So many zones share the targets in turn; one of no name if it is left out. */
  readonly zones?: number;
  /** How a target is verified, and on which port; left out: not at all. */
  readonly health?: { readonly check: JsonObject; readonly ports: readonly number[] };
  /** A file that Edge installs as a release by itself, in place of a command of the project. */
  readonly artifact?: string | undefined;
  readonly device?: LabDevice | undefined;
  readonly folder: string;
};

/** The documents of one run as YAML, which JSON is too. */
export async function configurationOf(options: ConfigurationOptions): Promise<string> {
  const { workload, artifact, health } = options;
  const steps = artifact === undefined ? STEPS : STEPS.filter((step) => step !== 'install');
  const commands = Object.fromEntries(steps.map((step) => [step, argvOf(workload, step)]));
  const project = {
    ...{ kind: 'project', name: 'crash', folder: `~/${FOLDER}`, commands },
    ...(health && { health: { check: health.check, passes: 2, intervalMs: 100 } }),
  };
  const artifacts = artifact === undefined ? [] : [{ name: 'app', path: artifact }];
  const release = { kind: 'release', project: 'crash', version: '1.0.0', artifacts };
  const documents = [project, release, await environmentOf(options), projectEnvironmentOf(options)];
  return documents.map((document) => JSON.stringify(document)).join('\n---\n');
}

function argvOf({ name, steps }: Workload, step: Step): readonly string[] {
  const { lines, burstBytes } = steps[step];
  return ['sh', '-c', COMMAND, 'crash-command', name, step, String(lines), String(burstBytes)];
}

async function environmentOf({ hosts, device, folder, zones }: ConfigurationOptions) {
  const [first] = hosts;
  const passwordFile = join(folder, 'balancer-password');
  await writeFile(passwordFile, OPERATOR.password, { mode: 0o600 });
  const password = { source: 'file', name: passwordFile };
  const { name: username, partition } = OPERATOR;
  return {
    kind: 'environment',
    name: 'lab',
    ssh: { user: first?.user, identityFile: first?.identityFile },
    ...(device && {
      balancers: { f5: { kind: 'f5', url: device.lab.url, username, partition, password, tls: 'none' } },
    }),
    ...(zones !== undefined && { zones: Array.from({ length: zones }, (_, n) => ({ name: zoneName(n) })) }),
    policy: {
      minInService: 0,
      maxFailures: { batch: { count: 2 }, zone: { count: 2 }, deployment: { count: 2 } },
    },
  };
}

function projectEnvironmentOf(options: ConfigurationOptions) {
  const { hosts, workload, strategy, device, zones, health } = options;
  const targets = hosts.map(({ address, port, fingerprint }, n) => ({
    ...{ name: `host-${n + 1}`, address, sshPort: port, hostKey: fingerprint },
    ...(device && { member: `web/${device.members[n]}` }),
    ...(zones !== undefined && { zone: zoneName(n % zones) }),
    ...(health && { port: health.ports[n] }),
    ...(n === hosts.length - 1 &&
      workload.lastExit > 0 && { env: { CRASH_EXIT: String(workload.lastExit) } }),
  }));
  const drain = { timeoutMs: 200_000 };
  return {
    ...{ kind: 'project-environment', project: 'crash', environment: 'lab' },
    ...{ strategy: { ...strategy, drain }, targets },
  };
}

const zoneName = (n: number): string => `zone-${n + 1}`;
