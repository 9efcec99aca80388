import { serverFile } from './adapters/system/server-file.ts';
import { edgeClient } from './api/client.ts';

/** The server that answers for a data folder, if one does. */
export async function findServer(
  dataFolder: string,
): Promise<{ readonly url: string; readonly token: string | null } | null> {
  const file = serverFile(dataFolder);
  const address = await file.read();
  if (address === null) return null;
  const answers = await edgeClient({ server: address.url, deadlineMs: 2_000 })
    .health()
    .then(
      () => true,
      () => false,
    );
  return answers ? { url: address.url, token: await file.token() } : null;
}

/** Tells other processes where this one's server answers; the result takes it back. */
export async function announceServer(dataFolder: string, url: string): Promise<() => Promise<void>> {
  const file = serverFile(dataFolder);
  await file.write({ url, pid: process.pid });
  return () => file.remove(process.pid);
}
