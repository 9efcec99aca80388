import { FileArtifacts } from '../../src/adapters/files/artifacts.ts';
import type { BringingParts } from '../../src/adapters/files/bringing.ts';
import { ArtifactStore, type StoreOptions } from '../../src/adapters/files/store.ts';
import { systemSecrets } from '../../src/adapters/system/secrets.ts';
import { HttpClient } from '../../src/outbound/http.ts';

type Options = Partial<StoreOptions> &
  Pick<BringingParts, 'server'> & {
    readonly origins?: readonly string[];
    readonly environment?: Readonly<Record<string, string | undefined>>;
  };

/** Artifacts as a process of Edge has them, in this folder. Nobody waits between tries. */
export function artifactsIn(folder: string, options: Partial<Options> = {}): FileArtifacts {
  const { server, origins, environment = process.env, ...store } = options;
  const sleep = async (_ms: number, signal: AbortSignal): Promise<void> => signal.throwIfAborted();
  return new FileArtifacts({
    ...{
      store: new ArtifactStore({ folder, owner: 'test', limitBytes: 1_000_000_000, ...store }),
      environment,
      sleep,
    },
    network: {
      http: new HttpClient({ trust: 'system', sleep }),
      secrets: systemSecrets(environment),
      ...(origins && { origins }),
    },
    ...(server && { server }),
  });
}
