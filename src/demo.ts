import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DemoStage, playDemo } from './cli/demo.ts';
import type { CliEnvironment, DemoOptions } from './cli/environment.ts';
import { type RunningServer, startServer } from './compose.ts';
import { type Fleet, startFleet } from './lab/fleet.ts';
import { startLoad } from './lab/load.ts';
import { accessTo, DEFAULT_POOL, type Place, pageLine, roleSettings, untilTold } from './roles.ts';

const DEMO_HOSTS = 8;

/** All of the demo lives in a folder of its own, which ends with it. */
export async function demo(
  environment: CliEnvironment,
  { variables, ...options }: DemoOptions & Pick<Place, 'variables'>,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-demo-'));
  const fleet = await startFleet({ folder: join(folder, 'lab'), hosts: DEMO_HOSTS });
  const dataFolder = join(folder, 'data');
  try {
    await mkdir(dataFolder);
    const server = await startServer({
      ...roleSettings({ version: environment.version, variables, dataFolder }, true),
      host: '127.0.0.1',
      port: 0,
      pools: [DEFAULT_POOL],
    });
    try {
      const stage = await stageOf(fleet, folder);
      const code = await playDemo(
        stage,
        accessTo(server, async () => {}),
        { environment, options },
      );
      if (!options.once && code !== 130) await stayUp(server, dataFolder);
      return code;
    } finally {
      await server.stop();
    }
  } finally {
    await fleet.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function stayUp(server: RunningServer, dataFolder: string): Promise<void> {
  process.stdout.write(`\n${pageLine(server)}`);
  if (server.hasPage) process.stdout.write(`Sign in with the token ${server.token}\n`);
  process.stdout.write(
    `\nThe lab stays up until Ctrl-C. The API answers at ${server.url}; in another terminal:\n`,
  );
  process.stdout.write(
    `  EDGE_SERVER=${server.url} EDGE_TOKEN=$(cat ${join(dataFolder, 'token')}) bin/edge status\n`,
  );
  await untilTold();
}

async function stageOf(fleet: Fleet, folder: string): Promise<DemoStage> {
  const configurationFile = join(folder, 'lab.yaml');
  await writeFile(configurationFile, fleet.configuration);
  const { lab, releases, url } = fleet;
  return {
    configurationFile,
    releases,
    url,
    hosts: lab.hosts.length,
    startLoad: () =>
      startLoad({ url, ratePerS: 200, slow: { every: 20, path: '/slow?ms=300' }, faulty: 'v4' }),
    servedVersions: () => Promise.all(lab.hosts.map(({ appUrl }) => versionAt(appUrl))),
    startedMoreThanOnce: async () => (await lab.countStarts()).startedMoreThanOnce.length,
  };
}

async function versionAt(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
  return answer?.headers.get('x-app-version') ?? 'nothing';
}
