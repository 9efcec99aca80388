import { artifactsContract } from '../../../test/contracts/artifacts.ts';
import { MemoryArtifacts } from './artifacts.ts';

artifactsContract('in memory', async () => {
  const at = new Map<string, Uint8Array>();
  let count = 0;
  const next = (bytes: Uint8Array): string => {
    count += 1;
    at.set(`/files/${count}`, bytes);
    at.set(`http://files/${count}`, bytes);
    return String(count);
  };
  return {
    artifacts: new MemoryArtifacts((place) => at.get(place)),
    put: async (bytes) => {
      const name = next(bytes);
      return [{ path: `/files/${name}` }, { url: `http://files/${name}` }];
    },
    putText: async (bytes) => `/files/${next(bytes)}`,
    dispose: async () => {},
  };
});
