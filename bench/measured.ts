import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** What a group of processes has cost. CPU counts those that have ended as well, whoever their parent was. */
export type Cost = { readonly cpuS: number; readonly peakRssMb: number };

/** Processes whose cost is counted together: the kernel does it, by a cgroup (v1 or v2; as root on Linux). */
export type Group = {
  readonly name: string;
  /** `argv`, so that it begins in this group and all that it starts stays there. */
  readonly inside: (argv: readonly string[]) => readonly string[];
  readonly cpuS: () => number;
  readonly rssMb: () => number;
  /** Ends what is left in it. */
  readonly close: () => Promise<void>;
};

const V1 = '/sys/fs/cgroup/cpuacct';
const V2 = '/sys/fs/cgroup';

/** Throws where no cgroup can be made. */
export function openGroup(name: string): Group {
  const unique = `edge-bench-${process.pid}-${name}`;
  const folder = makeFolder([`${V1}/${unique}`, `${V2}/${unique}`]);
  const members = `${folder}/cgroup.procs`;
  const pids = () => readFileSync(members, 'utf8').split('\n').filter(Boolean).map(Number);
  return {
    name,
    inside: (argv) => ['/bin/sh', '-c', 'echo $$ > "$0" && exec "$@"', members, ...argv],
    cpuS: () => cpuOf(folder),
    rssMb: () => pids().reduce((sum, pid) => sum + rssOf(pid), 0),
    close: async () => {
      for (const pid of pids()) process.kill(pid, 'SIGKILL');
      for (let left = 100; pids().length > 0 && left > 0; left -= 1) await wait(50);
      rmdirSync(folder);
    },
  };
}

function makeFolder(candidates: readonly string[]): string {
  for (const folder of candidates) {
    try {
      mkdirSync(folder);
      writeFileSync(`${folder}/cgroup.procs`, '');
      return folder;
    } catch {
      // The next form is tried.
    }
  }
  throw new Error('CPU is counted by a cgroup, and none can be made here: run this as root on Linux');
}

function cpuOf(folder: string): number {
  if (folder.startsWith(V1)) return Number(readFileSync(`${folder}/cpuacct.usage`, 'utf8')) / 1e9;
  const usage = /^usage_usec (\d+)$/m.exec(readFileSync(`${folder}/cpu.stat`, 'utf8'));
  return Number(usage?.[1]) / 1e6;
}

const PAGE_MB = 4_096 / 1e6;

function rssOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_MB;
  } catch {
    return 0;
  }
}

const SAMPLE_MS = 50;

/** Runs a command in the group to its end and tells what the whole group has cost meanwhile. Rejects if the command fails. */
export async function measure(
  group: Group,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Cost & { readonly wallS: number; readonly stdout: string }> {
  const [program = '', ...args] = group.inside(argv);
  const [beganMs, beganCpuS] = [performance.now(), group.cpuS()];
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    said.stdout += String(data);
  });
  child.stderr.on('data', (data) => {
    said.stderr += String(data);
  });
  let peakRssMb = 0;
  const sampling = setInterval(() => {
    peakRssMb = Math.max(peakRssMb, group.rssMb());
  }, SAMPLE_MS);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).finally(() => clearInterval(sampling));
  const wallS = (performance.now() - beganMs) / 1_000;
  if (code !== 0)
    throw new Error(
      `${argv.join(' ')} ended with ${code}:\n${said.stdout.slice(-3_000)}${said.stderr.slice(-3_000)}`,
    );
  return { wallS, cpuS: group.cpuS() - beganCpuS, peakRssMb, stdout: said.stdout };
}

/** What a child has written by the time that it holds `text`. Rejects if it ends before. */
export function saidUntil(child: ChildProcess, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout?.on('data', (data) => {
      said += String(data);
      if (said.includes(text)) resolve(said);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`it ended with ${code} and said: ${said}`)));
  });
}
