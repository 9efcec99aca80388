import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { EdgeError } from '../domain/errors.ts';
import { openIdentity } from './identity.ts';

const root = mkdtempSync(join(tmpdir(), 'edge-identity-'));
after(() => rmSync(root, { recursive: true, force: true }));
const newFolder = () => mkdtempSync(join(root, 'data-'));
const open = (folder: string, name = 'main') => openIdentity({ folder, host: 'box', name });

/** A worker that ran before, as another process; ended when asked. */
async function predecessor(folder: string, t: TestContext) {
  const script = `
    import { openIdentity } from ${JSON.stringify(join(import.meta.dirname, 'identity.ts'))};
    console.log((await openIdentity({ folder: process.argv[1], host: 'box', name: 'main' })).worker);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const worker = await new Promise<string>((resolve) =>
    child.stdout.once('data', (data) => resolve(String(data).trim())),
  );
  const end = () =>
    new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGKILL');
    });
  return { worker, end };
}

test('a first worker has a name of its own and no predecessor', async () => {
  const { worker, gone } = await open(newFolder());
  assert.match(worker, /^box\/main\/[0-9a-f]{8}-\d+-\d+$/);
  assert.deepEqual(gone, []);
});

test('a predecessor that was killed is proven gone', async (t) => {
  const folder = newFolder();
  const before = await predecessor(folder, t);
  await before.end();
  assert.deepEqual((await open(folder)).gone, [before.worker]);
});

test('a worker whose name is in use does not start, and leaves no trace', async (t) => {
  const folder = newFolder();
  const before = await predecessor(folder, t);
  await assert.rejects(
    open(folder),
    (error) => error instanceof EdgeError && error.code === 'data_folder_busy',
  );
  assert.equal(readdirSync(join(folder, 'workers/main')).length, 1);
  assert.deepEqual((await open(folder, 'other')).gone, []);
  await before.end();
});

test('a process that got the pid of a dead worker is not taken for it', async () => {
  const folder = newFolder();
  await open(folder);
  edit(folder, (record) => ({ ...record, worker: 'box/main/old', startTicks: '1' }));
  assert.deepEqual((await open(folder)).gone, ['box/main/old']);
});

test('after a reboot of this machine every earlier incarnation is gone', async (t) => {
  const folder = newFolder();
  await open(folder);
  if (record(folder).hostId === '') return t.skip('this machine has no /etc/machine-id');
  edit(folder, (before) => ({ ...before, worker: 'box/main/old', bootId: 'another' }));
  assert.deepEqual((await open(folder)).gone, ['box/main/old']);
});

test('of another machine or another container nothing is proven', async () => {
  for (const change of [
    { bootId: 'x', hostId: 'another' },
    { bootId: 'x', hostId: '' },
    { pidNamespace: 'pid:[1]' },
  ]) {
    const folder = newFolder();
    await open(folder);
    edit(folder, (record) => ({ ...record, ...change, startTicks: '1' }));
    assert.deepEqual((await open(folder)).gone, []);
  }
});

test('a record that cannot be read proves nothing', async () => {
  const folder = newFolder();
  await open(folder);
  writeFileSync(join(folder, 'workers/main/torn.json'), '{"worker":');
  assert.deepEqual((await open(folder)).gone, []);
});

function record(folder: string): Record<string, unknown> {
  const [file = ''] = readdirSync(join(folder, 'workers/main'));
  return JSON.parse(readFileSync(join(folder, 'workers/main', file), 'utf8'));
}

/** Makes the only record that of an earlier incarnation. */
function edit(folder: string, change: (record: Record<string, unknown>) => Record<string, unknown>): void {
  const [file = ''] = readdirSync(join(folder, 'workers/main'));
  const changed = change(record(folder));
  rmSync(join(folder, 'workers/main', file));
  writeFileSync(join(folder, 'workers/main/earlier.json'), JSON.stringify(changed));
}
