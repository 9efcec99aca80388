import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../scripts/project.ts';
import { requireService } from '../scripts/services.ts';
import { type Group, measure, openGroup, saidUntil } from './measured.ts';
import { rolloutByAnsible } from './rollout-ansible.ts';
import { type Rollout, rolloutByEdge } from './rollout-edge.ts';
import type { Estate } from './rollout-world.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  hosts: { type: 'string', default: '100' },
} as const;
const VERSIONS = ['v0', 'v1', 'v2', 'v3'] as const;
const here = (file: string) => join(projectRoot, 'bench', file);

/**
 * One rollout over 100 sshd hosts behind HAProxy, in batches of 10, by three contestants one after the other: a bare script
 * without any promise (the floor), Edge, and ansible-playbook. CPU of the hosts is shown apart: it is the same work for all.
 */
export async function benchRollout(args: readonly string[]): Promise<void> {
  const { json, hosts: count } = parseArgs({ args: [...args], options: OPTIONS }).values;
  const ansible = requireService('ansible');
  const hosts = openGroup('hosts');
  const world = await startHosts(hosts, count);
  try {
    const file = join(world.estate.folder, 'estate.json');
    await writeFile(file, JSON.stringify(world.estate));
    const floor = (version: string) => (group: Group) =>
      measure(group, [process.execPath, here('rollout-floor.ts'), file, version]);
    await contest('first', hosts, floor('v0'));
    const figures = {
      floor: await contest('floor', hosts, floor('v1')),
      edge: await contest('edge', hosts, (group) => rolloutByEdge(world.estate, 'v2', group)),
      ansible:
        ansible.path === undefined
          ? null
          : await contest('ansible', hosts, (group) => rolloutByAnsible(world.estate, 'v3', group)),
    };
    if (json) console.log(JSON.stringify({ ...figures, ...ratiosOf(figures) }));
    else console.table(figures);
  } finally {
    await world.stop();
    await hosts.close();
  }
}

type Figures = Rollout & { readonly hostsCpuS: number };

async function contest(
  name: string,
  hosts: Group,
  run: (group: Group) => Promise<Rollout>,
): Promise<Figures> {
  const group = openGroup(name);
  const before = hosts.cpuS();
  try {
    const { wallS, cpuS, peakRssMb } = await run(group);
    const seen = { wallS, cpuS, peakRssMb, hostsCpuS: hosts.cpuS() - before };
    console.error(`${name}: ${JSON.stringify(rounded(seen))}`);
    return rounded(seen);
  } finally {
    await group.close();
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;
const rounded = ({ wallS, cpuS, peakRssMb, hostsCpuS }: Figures): Figures => ({
  ...{ wallS: round(wallS), cpuS: round(cpuS) },
  ...{ peakRssMb: Math.round(peakRssMb), hostsCpuS: round(hostsCpuS) },
});

function ratiosOf({ floor, edge, ansible }: { floor: Figures; edge: Figures; ansible: Figures | null }) {
  return {
    edgeToFloorWall: round(edge.wallS / floor.wallS),
    ...(ansible && {
      ansibleToEdgeWall: round(ansible.wallS / edge.wallS),
      ansibleToEdgeCpu: round(ansible.cpuS / edge.cpuS),
    }),
  };
}

type Hosts = { readonly estate: Estate; stop(): Promise<void> };

async function startHosts(group: Group, count: string): Promise<Hosts> {
  const argv = [process.execPath, here('rollout-hosts.ts'), count, ...VERSIONS];
  const [program = '', ...args] = group.inside(argv);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const estate = JSON.parse(await saidUntil(child, '\n')) as Estate;
  const stop = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  };
  return { estate, stop };
}
