import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { EdgeError } from '../../domain/errors.ts';
import { openFirstFree, openIncarnation } from './incarnation.ts';

const root = mkdtempSync(join(tmpdir(), 'edge-identity-'));
after(() => rmSync(root, { recursive: true, force: true }));
const newFolder = () => mkdtempSync(join(root, 'data-'));
const open = (folder: string, name = 'main') => openIncarnation({ folder, host: 'box', name });

/** A process that ran before, as another process; ended when asked. */
async function predecessor(folder: string, t: TestContext, name = 'main') {
  const script = `
    import { openIncarnation } from ${JSON.stringify(join(import.meta.dirname, 'incarnation.ts'))};
    console.log((await openIncarnation({ folder: process.argv[1], host: 'box', name: process.argv[2] })).id);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script, folder, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const id = await new Promise<string>((resolve) =>
    child.stdout.once('data', (data) => resolve(String(data).trim())),
  );
  const end = () =>
    new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGKILL');
    });
  return { id, end };
}

test('a first process has an id of its own and no predecessor', async () => {
  const { id, gone } = await open(newFolder());
  assert.match(id, /^box\/main\/[0-9a-f]{8}-\d+-\d+$/);
  assert.deepEqual(gone, []);
});

test('a predecessor that was killed is proven gone', async (t) => {
  const folder = newFolder();
  const before = await predecessor(folder, t);
  await before.end();
  assert.deepEqual((await open(folder)).gone, [before.id]);
});

test('a process whose name is in use does not start, and leaves no trace', async (t) => {
  const folder = newFolder();
  const before = await predecessor(folder, t);
  await assert.rejects(
    open(folder),
    (error) => error instanceof EdgeError && error.code === 'data_folder_busy',
  );
  assert.equal(readdirSync(join(folder, 'main')).length, 1);
  assert.deepEqual((await open(folder, 'other')).gone, []);
  await before.end();
});

test('a process that got the pid of a dead one is not taken for it', async () => {
  const folder = newFolder();
  await open(folder);
  edit(folder, (record) => ({ ...record, id: 'box/main/old', startTicks: '1' }));
  assert.deepEqual((await open(folder)).gone, ['box/main/old']);
});

test('after a reboot of this machine every earlier incarnation is gone, if the machine has an id to know it by', async () => {
  const folder = newFolder();
  await open(folder);
  const hasId = record(folder).hostId !== '';
  edit(folder, (before) => ({ ...before, id: 'box/main/old', bootId: 'another' }));
  assert.deepEqual((await open(folder)).gone, hasId ? ['box/main/old'] : []);
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
  writeFileSync(join(folder, 'main/torn.json'), '{"id":');
  assert.deepEqual((await open(folder)).gone, []);
});

test('of several without a name each has a number, and takes over from the one that had it', async (t) => {
  const folder = newFolder();
  const first = await predecessor(folder, t, 'server-1');
  const second = await predecessor(folder, t, 'server-2');
  await second.end();
  const { id, gone } = await openFirstFree({ folder, host: 'box', name: 'server' });
  assert.match(id, /^box\/server-2\//);
  assert.deepEqual(gone, [second.id]);
  await first.end();
});

function record(folder: string): Record<string, unknown> {
  const [file = ''] = readdirSync(join(folder, 'main'));
  return JSON.parse(readFileSync(join(folder, 'main', file), 'utf8'));
}

/** Makes the only record that of an earlier incarnation. */
function edit(folder: string, change: (record: Record<string, unknown>) => Record<string, unknown>): void {
  const [file = ''] = readdirSync(join(folder, 'main'));
  const changed = change(record(folder));
  rmSync(join(folder, 'main', file));
  writeFileSync(join(folder, 'main/earlier.json'), JSON.stringify(changed));
}
