import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../scripts/project.ts';
import { requireService, type ServiceName } from '../scripts/services.ts';
import { installEdge } from '../test/support/installed-edge.ts';
import { type Cost, type Group, measure, openGroup, saidUntil } from './measured.ts';

/** Hosts with sshd, and how to log in to them. */
export type Fanout = {
  readonly folder: string;
  readonly knownHosts: string;
  readonly user: string;
  readonly identityFile: string;
  readonly hosts: readonly { readonly name: string; readonly address: string; readonly port: number }[];
};

const OPTIONS = {
  json: { type: 'boolean', default: false },
  hosts: { type: 'string', default: '200' },
} as const;
const here = (file: string) => join(projectRoot, 'bench', file);

type Run = Pick<Cost, 'cpuS'> & { readonly wallS: number };
type Contestant = { readonly cold: Run; readonly warm: Run };

/**
 * `hostname` on 200 sshd hosts, by contestants one after the other: a bare ssh2 script without any promise, `edge exec` (the
 * CLI and the server together), and what people use. Each runs it twice: with no connection there yet, and once more.
 */
export async function benchFanout(args: readonly string[]): Promise<void> {
  const { json, hosts: count } = parseArgs({ args: [...args], options: OPTIONS }).values;
  const hosts = openGroup('hosts');
  const world = await startHosts(hosts, count);
  try {
    const { fanout } = world;
    const file = join(fanout.folder, 'fanout.json');
    await writeFile(file, JSON.stringify(fanout));
    const others = await otherContestants(fanout);
    const bare = [process.execPath, here('fanout-bare.ts'), file];
    await contest('first', (group) => measure(group, bare));
    const figures: Record<string, Contestant | null> = {
      bare: await contest('bare', (group) => measure(group, bare)),
      edge: await byEdge(fanout),
    };
    for (const [name, { service, argv, env }] of Object.entries(others)) {
      const { path } = requireService(service);
      figures[name] =
        path === undefined
          ? null
          : await contest(name, (group) => measure(group, argv, { ...process.env, ...env }));
    }
    if (json) console.log(JSON.stringify({ ...figures, ...ratiosOf(figures) }));
    else for (const [name, of] of Object.entries(figures)) console.table({ [name]: of });
  } finally {
    await world.stop();
    await hosts.close();
  }
}

async function contest(name: string, run: (group: Group) => Promise<Run>): Promise<Contestant> {
  const group = openGroup(name);
  try {
    const seen = { cold: rounded(await run(group)), warm: rounded(await run(group)) };
    console.error(`${name}: ${JSON.stringify(seen)}`);
    return seen;
  } finally {
    await group.close();
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;
const rounded = ({ wallS, cpuS }: Run): Run => ({ wallS: round(wallS), cpuS: round(cpuS) });

function ratiosOf({ bare, edge, ansible }: Readonly<Record<string, Contestant | null>>) {
  if (!bare || !edge) return {};
  return {
    edgeToBareWall: round(edge.cold.wallS / bare.cold.wallS),
    edgeToBareCpu: round(edge.cold.cpuS / bare.cold.cpuS),
    ...(ansible && { ansibleToEdgeCpu: round(ansible.cold.cpuS / edge.cold.cpuS) }),
  };
}

/** As a team runs it, installed: a server, and the CLI that asks it. Both are counted; what is set up before is not. */
async function byEdge(fanout: Fanout): Promise<Contestant> {
  const edge = await installEdge(fanout.folder);
  const dataFolder = join(fanout.folder, 'edge-data');
  await mkdir(dataFolder, { mode: 0o700 });
  const env = { ...process.env, EDGE_DATA: dataFolder };
  const file = join(fanout.folder, 'fanout.yaml');
  await writeFile(file, configurationOf(fanout));
  let isServed = false;
  return contest('edge', async (group) => {
    if (!isServed) {
      await startServer(group, [edge, 'server', '--listen', '127.0.0.1:0'], env);
      await measure(group, [edge, 'apply', '-f', file, '--json'], env);
    }
    isServed = true;
    const all = String(fanout.hosts.length);
    const argv = [edge, 'exec', 'any', 'dc', '--json', '--parallel', all, '--', 'hostname'];
    const { stdout, ...cost } = await measure(group, argv, env);
    const { answers } = JSON.parse(stdout) as { answers: readonly { targets: readonly string[] }[] };
    if (answers.length !== 1 || answers[0]?.targets.length !== fanout.hosts.length)
      throw new Error(`Edge has not run it everywhere: ${stdout.slice(-2_000)}`);
    return cost;
  });
}

/** It ends with its group. */
async function startServer(group: Group, argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const [program = '', ...args] = group.inside(argv);
  const server = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await saidUntil(server, 'serves http');
}

const configurationOf = ({ user, identityFile, knownHosts, hosts }: Fanout): string => `kind: project
name: any
folder: ~/any
---
kind: environment
name: dc
ssh: { user: ${user}, identityFile: ${identityFile}, knownHosts: ${knownHosts} }
---
kind: project-environment
project: any
environment: dc
targets:
${hosts.map(({ name, address, port }) => `  - { name: ${name}, address: ${address}, sshPort: ${port} }`).join('\n')}
`;

type Other = {
  readonly service: ServiceName;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** What people use, each with as many connections at once as there are hosts. */
async function otherContestants(fanout: Fanout): Promise<Readonly<Record<string, Other>>> {
  const { folder, hosts, user, identityFile, knownHosts } = fanout;
  const path = (name: string) => join(folder, name);
  const names = hosts.map(({ name }) => name);
  const forks = String(hosts.length);
  const sections = hosts.map(
    ({ name, address, port }) => `Host ${name}\n  HostName ${address}\n  Port ${port}\n`,
  );
  const common = `  User ${user}\n  IdentityFile ${identityFile}\n  UserKnownHostsFile ${knownHosts}\n  StrictHostKeyChecking yes\n`;
  await writeFile(path('ssh_config'), `${sections.join('')}Host *\n${common}`);
  await writeFile(path('names'), `${names.join('\n')}\n`);
  await writeFile(path('fanout.py'), FABRIC);
  const lines = hosts.map(
    ({ name, address, port }) => `${name} ansible_host=${address} ansible_port=${port}`,
  );
  await writeFile(
    path('inventory'),
    `[all]\n${lines.join('\n')}\n[all:vars]\nansible_user=${user}\nansible_ssh_private_key_file=${identityFile}\n`,
  );
  await writeFile(
    path('ansible.cfg'),
    `[defaults]\nforks = ${forks}\ngathering = explicit\ninterpreter_python = /usr/bin/python3\nhome = ${folder}/ansible\nlocal_tmp = ${folder}/ansible/tmp\n[ssh_connection]\npipelining = True\ncontrol_path_dir = ${folder}/ansible/cp\nssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${knownHosts} -o StrictHostKeyChecking=yes\n`,
  );
  const config = path('ssh_config');
  return {
    clush: {
      service: 'clush',
      argv: ['clush', '-b', '-f', forks, '-o', `-F ${config}`, '-w', names.join(','), 'hostname'],
    },
    pssh: {
      service: 'pssh',
      argv: ['parallel-ssh', '-i', '-p', forks, '-x', `-F ${config}`, '-h', path('names'), 'hostname'],
    },
    fabric: { service: 'fabric', argv: ['/usr/bin/python3', path('fanout.py'), config, ...names] },
    ansible: {
      service: 'ansible',
      argv: ['ansible', 'all', '-i', path('inventory'), '-m', 'command', '-a', 'hostname'],
      env: { ANSIBLE_CONFIG: path('ansible.cfg') },
    },
  };
}

const FABRIC = `import sys
from fabric import Config, ThreadingGroup
hosts = ThreadingGroup(*sys.argv[2:], config=Config(runtime_ssh_path=sys.argv[1]))
print(len(set(result.stdout for result in hosts.run('hostname', hide=True).values())))
`;

type Hosts = { readonly fanout: Fanout; stop(): Promise<void> };

async function startHosts(group: Group, count: string): Promise<Hosts> {
  const [program = '', ...args] = group.inside([process.execPath, here('fanout-hosts.ts'), count]);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const fanout = JSON.parse(await saidUntil(child, '\n')) as Fanout;
  const stop = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  };
  return { fanout, stop };
}
