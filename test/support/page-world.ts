import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EdgeClient, edgeClient } from '../../src/api/client.ts';
import type { Input } from '../../src/api/contract.ts';
import type { DeploymentId } from '../../src/domain/ids.ts';
import { type Fleet, startFleet } from '../../src/lab/fleet.ts';
import { type EdgeProcess, startEdge } from './edge-process.ts';
import { freePort } from './free-port.ts';
import { opened } from './opened.ts';
import { until } from './until.ts';

const PATIENCE_MS = 60_000;

/** A real server as a process of its own, that gives the page and works on the lab; it may be killed and started again. */
export type PageWorld = {
  readonly url: string;
  readonly token: string;
  readonly edge: EdgeClient;
  readonly fleet: Fleet;
  /** `kill -9`; resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** Starts it again, on the same folder and port. */
  readonly start: () => Promise<void>;
  /** Lines of YAML for the policy of the environment, beside its floor. */
  readonly configure: (policy?: string) => Promise<void>;
  readonly deploy: (version: string, more?: Partial<Input<'deploy'>>) => Promise<DeploymentId>;
  readonly ends: (deployment: DeploymentId) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export const PLACE = { project: 'shop', environment: 'lab' } as const;

/** With the sample estate of the lab, so many hosts, and its three releases, of which the third is bad. */
export const openPageWorld = (hosts: number): Promise<PageWorld> => opened((ends) => open(hosts, ends));

async function open(hosts: number, ends: AsyncDisposableStack): Promise<PageWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-page-'));
  ends.defer(() => rm(folder, { recursive: true, force: true }));
  const fleet = await startFleet({ folder: join(folder, 'lab'), hosts });
  ends.defer(fleet.stop);
  const dataFolder = join(folder, 'data');
  await mkdir(dataFolder);
  const url = `http://127.0.0.1:${await freePort()}`;
  let server: EdgeProcess | undefined;
  const start = async (): Promise<void> => {
    server = startEdge(['server', '--listen', new URL(url).host], { dataFolder });
    await until('the server answers', () => answers(url), PATIENCE_MS);
  };
  const kill = async (): Promise<void> => {
    server?.signal('SIGKILL');
    await server?.ended;
  };
  ends.defer(kill);
  await start();
  const token = (await readFile(join(dataFolder, 'token'), 'utf8')).trim();
  const edge = edgeClient({ server: url, token, deadlineMs: PATIENCE_MS });
  const configure = async (policy = ''): Promise<void> => {
    // No judge: what it waits for is for its own tests.
    const text = fleet.configuration
      .replace(/^analysis:\n(?: .*\n)+/m, '')
      .replace('settleMs: 500', 'settleMs: 0')
      .replace('policy:\n', `policy:\n${policy}`);
    await edge.applyConfiguration({ files: [{ path: 'lab.yaml', text }] });
  };
  await configure();
  for (const { version, path, sha256 } of fleet.releases) {
    const artifacts = [{ name: 'app.tar.gz', path, sha256, unpack: 'tar.gz' as const }];
    await edge.createRelease({ kind: 'release', project: PLACE.project, version, artifacts });
  }
  return {
    ...{ url, token, edge, fleet, kill, start, configure },
    deploy: async (version, more = {}) =>
      (await edge.deploy({ ...PLACE, version, reason: 'test', ...more })).deployment,
    ends: (deployment) =>
      until(
        'it has ended',
        async () => (await edge.deployment({ deployment })).deployment.ended,
        PATIENCE_MS,
      ),
    stop: () => ends.disposeAsync(),
  };
}

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/health`).then(
    async (answer) => (await answer.text()) !== '' && answer.ok,
    () => false,
  );
