import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inventoryContract } from '../../../test/contracts/inventory.ts';
import { rejectsWith } from '../../../test/contracts/load-balancer.ts';
import { realClock } from '../../../test/support/clock.ts';
import { type Answer, startListServer } from '../../../test/support/list-server.ts';
import { perTest } from '../../../test/support/per-test.ts';
import { textSource } from '../../../test/support/text-sources.ts';
import { until } from '../../../test/support/until.ts';
import { EdgeError } from '../../domain/errors.ts';
import type { TextSource } from '../../domain/inventory.ts';
import { systemSecrets } from '../system/secrets.ts';
import { createInventory } from './inventory.ts';

const signal = new AbortController().signal;
const PASSWORD = 'correct-horse-battery';
const environment = { PATH: process.env.PATH, PASSWORD, EDGE_TOKEN: 'of-the-server' };

const newInventory = () =>
  createInventory({ environment, clock: realClock, secrets: systemSecrets(environment) });

async function inFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'edge-inventory-'));
  const inventory = newInventory();
  const dispose = async () => {
    await inventory.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { folder, inventory, dispose };
}
const folderOf = perTest(inFolder);
const serverOf = perTest(async (answer: Answer = {}) => {
  const server = await startListServer(answer);
  const inventory = newInventory();
  return { server, inventory, dispose: () => Promise.all([inventory.close(), server.stop()]).then(() => {}) };
});

inventoryContract('a file', async () => {
  const { folder, inventory, dispose } = await inFolder();
  const path = join(folder, 'hosts.csv');
  return {
    ...{ inventory, dispose, source: textSource({ from: 'file', path }) },
    says: (bytes) => writeFile(path, bytes),
    vanish: () => rm(path),
  };
});

inventoryContract('a command', async () => {
  const { folder, inventory, dispose } = await inFolder();
  const path = join(folder, 'hosts');
  return {
    ...{ inventory, dispose, source: textSource({ from: 'command', argv: ['cat', path] }) },
    says: (bytes) => writeFile(path, bytes),
    vanish: () => rm(path),
  };
});

inventoryContract('an address', async () => {
  const server = await startListServer();
  const inventory = newInventory();
  return {
    ...{ inventory, source: textSource({ from: 'http', url: server.url }) },
    says: async (body) => server.answers({ body }),
    vanish: server.stop,
    dispose: async () => {
      await inventory.close();
      await server.stop();
    },
  };
});

const messageOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof EdgeError && error.code === 'inventory_unreachable', String(error));
  return error.message;
};

test('a file says by its name what is in it', async () => {
  const { folder, inventory } = await folderOf();
  for (const [name, format] of [
    ['a.csv', 'csv'],
    ['a.CSV', 'csv'],
    ['a.yaml', 'yaml'],
    ['a.yml', 'yaml'],
    ['a.json', 'json'],
    ['csv', undefined],
    ['a.txt', undefined],
  ] as const) {
    const path = join(folder, name);
    await writeFile(path, 'x');
    const read = await inventory.read(textSource({ from: 'file', path }), signal);
    assert.equal(read.format, name === 'csv' ? undefined : format, name);
  }
});

test('a folder, a pipe and a device are no files', async () => {
  const { folder, inventory } = await folderOf();
  const [below, pipe] = [join(folder, 'below'), join(folder, 'pipe')];
  await mkdir(below);
  execFileSync('mkfifo', [pipe]);
  for (const path of [below, pipe, '/dev/zero'])
    assert.match(await messageOf(inventory.read(textSource({ from: 'file', path }), signal)), /not a file/);
});

test('a file that may not be read, or is not there, is named with the reason', async () => {
  const { folder, inventory } = await folderOf();
  const path = join(folder, 'nobody.csv');
  const read = () => inventory.read(textSource({ from: 'file', path }), signal);
  assert.match(await messageOf(read()), /nobody\.csv: it cannot be read: there is no such file/);
});

const running = (fields: Readonly<Record<string, unknown>>): TextSource =>
  textSource({ from: 'command', ...fields });

test('a command has its own variables, secrets too, and of those of the server only a few', async () => {
  const { inventory } = await folderOf();
  const env = { LIST: 'web', TOKEN: { source: 'env', name: 'PASSWORD' } };
  const { text } = await inventory.read(running({ argv: ['env'], env }), signal);
  const lines = text.trim().split('\n').sort();
  assert.deepEqual(lines, [`LIST=web`, `PATH=${process.env.PATH}`, `TOKEN=${PASSWORD}`]);
});

test('no shell reads a command: its words are what they are', async () => {
  const { folder, inventory } = await folderOf();
  const trap = join(folder, 'trap');
  const words = [`$(touch ${trap})`, `; touch ${trap}`, '`id`', '-oProxyCommand=id', '', 'a b', "'", '*'];
  const { text } = await inventory.read(running({ argv: ['printf', '%s\\n', '--', ...words] }), signal);
  assert.deepEqual(text.split('\n').slice(1, -1), words);
  assert.ok(!existsSync(trap));
});

test('a command that fails is named with its exit status and its last words, without its secrets', async () => {
  const { folder, inventory } = await folderOf();
  const path = join(folder, 'list');
  await writeFile(
    path,
    '#!/bin/sh\necho web-1\necho first >&2\nprintf "no: %s\\033[31m\\n" "$TOKEN" >&2\nexit 3\n',
  );
  await chmod(path, 0o755);
  const source = running({ argv: [path], env: { TOKEN: { source: 'env', name: 'PASSWORD' } } });
  const message = await messageOf(inventory.read(source, signal));
  assert.match(message, /ended with exit status 3: no: \*\*\*$/);
});

test('a program that is not there cannot be started, and a secret that is not there is asked for', async () => {
  const { inventory } = await folderOf();
  const read = (fields: Readonly<Record<string, unknown>>) => inventory.read(running(fields), signal);
  assert.match(
    await messageOf(read({ argv: ['/nowhere/list'] })),
    /cannot be started: there is no such file/,
  );
  const env = { TOKEN: { source: 'env', name: 'NOT_SET' } };
  await rejectsWith('secret_unavailable', read({ argv: ['true'], env }));
});

test('a secret that no variable can hold is refused, and not told', async () => {
  const { folder, inventory } = await folderOf();
  const name = join(folder, 'secret');
  await writeFile(name, 'hunter2\0');
  const read = inventory.read(running({ argv: ['true'], env: { KEY: { source: 'file', name } } }), signal);
  const message = await messageOf(read);
  assert.match(message, /cannot be started with these words and variables$/);
});

test('a command that does not end is killed, with all that it started', async () => {
  const { folder, inventory } = await folderOf();
  const pids = join(folder, 'pids');
  const script = `sleep 600 & echo $! > ${pids}; echo $$ >> ${pids}; wait`;
  const source = running({ argv: ['sh', '-c', script], timeoutMs: 5_000 });
  assert.match(await messageOf(inventory.read(source, signal)), /did not end within 5000 ms/);
  const started = (await readFile(pids, 'utf8')).trim().split('\n').map(Number);
  assert.equal(started.length, 2);
  await until('they are gone', async () => started.every((pid) => !isAlive(pid)));
});

test('a command that prints without end is killed at the limit', async () => {
  const { inventory } = await folderOf();
  await rejectsWith('inventory_invalid', inventory.read(running({ argv: ['yes'] }), signal));
});

test('what a command left behind with its output is not waited for, and not taken for a whole list', async () => {
  const { folder, inventory } = await folderOf();
  const pid = join(folder, 'pid');
  const script = `setsid sh -c 'echo $$ > ${pid}; exec sleep 600' & while [ ! -s ${pid} ]; do sleep 0.01; done; echo web-1`;
  const source = running({ argv: ['sh', '-c', script], timeoutMs: 5_000 });
  try {
    assert.match(await messageOf(inventory.read(source, signal)), /still holds its output/);
  } finally {
    process.kill(Number(await readFile(pid, 'utf8')), 'SIGKILL');
  }
});

test('at the end of the server a command ends too', async () => {
  const { folder, inventory } = await folderOf();
  const pid = join(folder, 'pid');
  const source = running({ argv: ['sh', '-c', `echo $$ > ${pid}; exec sleep 600`] });
  const read = inventory.read(source, signal);
  const refused = assert.rejects(read, /server stops/);
  await until('it runs', async () => /^\d+\n$/.test(await readFile(pid, 'utf8').catch(() => '')));
  await inventory.close();
  await refused;
  const started = Number(await readFile(pid, 'utf8'));
  await until('it is gone', async () => !isAlive(started));
});

function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(execFileSync('cat', [`/proc/${pid}/stat`], { stdio: 'pipe' }).toString());
  } catch {
    return false;
  }
}

const asking = (url: string, fields: Readonly<Record<string, unknown>> = {}): TextSource =>
  textSource({ from: 'http', url, ...fields });

test('an address is asked with a password or a token, which stand in no error', async () => {
  const secret = { source: 'env', name: 'PASSWORD' };
  const basic = `Basic ${Buffer.from(`edge:${PASSWORD}`).toString('base64')}`;
  for (const [credentials, wants] of [
    [{ username: 'edge', password: secret }, basic],
    [{ token: secret }, `Bearer ${PASSWORD}`],
  ] as const) {
    const { server, inventory } = await serverOf({ body: 'web-1', wants });
    assert.equal((await inventory.read(asking(server.url, { credentials }), signal)).text, 'web-1');
    const message = await messageOf(inventory.read(asking(server.url), signal));
    assert.match(message, /status 401: it refuses to tell$/);
    assert.ok(!message.includes('in-the-query'));
    server.answers({ wants: 'something else', body: 'web-1' });
    assert.ok(
      !(await messageOf(inventory.read(asking(server.url, { credentials }), signal))).includes(PASSWORD),
    );
  }
});

test('an address that is slow is given up at its time', async () => {
  const { server, inventory } = await serverOf({ silent: true });
  const message = await messageOf(inventory.read(asking(server.url, { timeoutMs: 200 }), signal));
  assert.match(message, /no answer within 200 ms/);
});

test('a redirect is not followed, and no credential goes where it leads', async () => {
  const { server: other } = await serverOf({ body: 'web-1' });
  const { server, inventory } = await serverOf({ status: 302, headers: { location: other.url } });
  const credentials = { token: { source: 'env', name: 'PASSWORD' } };
  assert.match(await messageOf(inventory.read(asking(server.url, { credentials }), signal)), /not followed/);
  assert.deepEqual(other.asked, []);
});

test('an error page is no list, whatever is in it', async () => {
  const { server, inventory } = await serverOf({ status: 503, body: 'name,address\nweb-1,10.0.0.1\n' });
  const message = await messageOf(inventory.read(asking(server.url), signal));
  assert.match(message, /status 503: no list$/);
});
