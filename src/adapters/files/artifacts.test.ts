import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArtifactsBench, artifactsContract } from '../../../test/contracts/artifacts.ts';
import { startArtifactSource } from '../../../test/support/artifact-source.ts';
import { artifactsIn } from '../../../test/support/artifacts.ts';
import type { Artifacts } from '../../ports/artifacts.ts';

async function benchOf(made: (folder: string) => Promise<Artifacts>): Promise<ArtifactsBench> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-artifacts-'));
  const source = await startArtifactSource();
  let count = 0;
  const put = async (bytes: Uint8Array): Promise<string> => {
    count += 1;
    await writeFile(join(folder, `file-${count}`), bytes);
    source.files.set(`/file-${count}`, bytes);
    return `file-${count}`;
  };
  return {
    artifacts: await made(folder),
    put: async (bytes) => {
      const name = await put(bytes);
      return [{ path: join(folder, name) }, { url: `${source.url}/${name}` }];
    },
    putText: async (bytes) => join(folder, await put(bytes)),
    dispose: async () => {
      await source.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

artifactsContract('in a store on this machine', () =>
  benchOf(async (folder) => artifactsIn(join(folder, 'store'))),
);
