import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const schema = z.object({ url: z.string(), pid: z.int() });
export type ServerAddress = z.infer<typeof schema>;

/**
 * Where a data folder's server answers: `server.json`, so that a second CLI finds the first one's server; and `token`, the
 * first administrator's token, readable by the owner of the folder only.
 */
export function serverFile(folder: string): {
  read(): Promise<ServerAddress | null>;
  write(address: ServerAddress): Promise<void>;
  /** Removes it, if it is still this process's. */
  remove(pid: number): Promise<void>;
  token(): Promise<string | null>;
  keepToken(token: string): Promise<void>;
} {
  const path = join(folder, 'server.json');
  const tokenPath = join(folder, 'token');
  const read = async () => {
    const text = await readIfThere(path);
    const parsed = text === null ? null : schema.safeParse(jsonOrNull(text));
    return parsed?.success ? parsed.data : null;
  };
  return {
    read,
    write: (address) => writeWhole(path, JSON.stringify(address)),
    remove: async (pid) => {
      if ((await read())?.pid === pid) await rm(path, { force: true });
    },
    token: async () => (await readIfThere(tokenPath))?.trim() ?? null,
    keepToken: (token) => writeWhole(tokenPath, `${token}\n`),
  };
}

/** A reader sees the old file or the new one, never half of it. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, path);
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
