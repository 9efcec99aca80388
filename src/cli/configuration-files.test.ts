import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfiguration } from './configuration-files.ts';

test('of folders all YAML files are read, in order, each once, and no hidden ones', async () => {
  await using folder = await mkdtempDisposable('/tmp/edge-cli-');
  for (const name of ['conf', 'conf/sub', 'conf/.git']) await mkdir(join(folder.path, name));
  for (const name of ['conf/b.yml', 'conf/a.yaml', 'conf/sub/c.yaml', 'conf/.git/d.yaml', 'conf/readme.md'])
    await writeFile(join(folder.path, name), name);
  const files = await readConfiguration(folder.path, ['conf', join(folder.path, 'conf/a.yaml')]);
  assert.deepEqual(
    files.map(({ text }) => text),
    ['conf/a.yaml', 'conf/b.yml', 'conf/sub/c.yaml'],
  );
});

test('a file that is named is read whatever its name', async () => {
  await using folder = await mkdtempDisposable('/tmp/edge-cli-');
  await writeFile(join(folder.path, 'x.conf'), 'kind: project');
  assert.deepEqual(await readConfiguration(folder.path, ['x.conf']), [
    { path: 'x.conf', text: 'kind: project' },
  ]);
});
