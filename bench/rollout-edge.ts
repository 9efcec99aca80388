import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installEdge } from '../test/support/installed-edge.ts';
import { type Cost, type Group, measure, saidUntil } from './measured.ts';
import { COURSE, type Estate, POOL } from './rollout-world.ts';

export type Rollout = Cost & { readonly wallS: number };

/** Edge as a team runs it, installed: a server, and the CLI that asks it. Both are counted; what is set up before the rollout is not. */
export async function rolloutByEdge(estate: Estate, version: string, group: Group): Promise<Rollout> {
  const edge = await installEdge(join(estate.folder, 'installed'));
  const dataFolder = join(estate.folder, 'edge-data');
  await mkdir(dataFolder, { mode: 0o700 });
  const env = { ...process.env, EDGE_DATA: dataFolder };
  const server = await startServer(group, edge, env);
  try {
    const file = join(estate.folder, 'estate.yaml');
    await writeFile(file, configurationOf(estate));
    await measure(group, [edge, 'apply', '-f', file, '--json'], env);
    const { path = '' } = estate.artifacts.find((one) => one.version === version) ?? {};
    const create = [edge, 'releases', 'create', 'app', version, '-a', `app.tar.gz=${path}`, '--json'];
    await measure(group, create, env);
    const { stdout, ...cost } = await measure(
      group,
      [edge, 'deploy', 'app', 'dc', version, '--yes', '--json'],
      env,
    );
    const { deployment } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as {
      deployment: { status: string; counts: { succeeded: number } };
    };
    if (deployment.status !== 'succeeded' || deployment.counts.succeeded !== estate.targets.length)
      throw new Error(`Edge has not deployed everywhere: ${stdout.slice(-2_000)}`);
    return cost;
  } finally {
    server.kill('SIGTERM');
    if (server.exitCode === null) await once(server, 'exit');
  }
}

async function startServer(group: Group, edge: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const [program = '', ...args] = group.inside([edge, 'server', '--listen', '127.0.0.1:0']);
  const server = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await saidUntil(server, 'serves http');
  return server;
}

function configurationOf({ user, identityFile, knownHosts, socket, targets }: Estate): string {
  const { batch, passes, intervalMs } = COURSE;
  return `kind: project
name: app
folder: ~/app
health:
  check: { kind: http, path: /health, version: { jsonPath: version } }
  passes: ${passes}
  intervalMs: ${intervalMs}
---
kind: environment
name: dc
ssh: { user: ${user}, identityFile: ${identityFile}, knownHosts: ${knownHosts} }
balancers:
  front: { kind: haproxy, socket: ${socket} }
---
kind: project-environment
project: app
environment: dc
strategy: { canary: 0, batches: ${batch}, parallel: ${batch}, settleMs: 0 }
targets:
${targets
  .map(
    ({ name, address, sshPort, port }) =>
      `  - { name: ${name}, address: ${address}, sshPort: ${sshPort}, port: ${port}, member: ${POOL}/${name} }`,
  )
  .join('\n')}
`;
}
