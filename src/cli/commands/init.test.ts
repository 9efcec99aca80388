import assert from 'node:assert/strict';
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { cli } from '../../../test/support/cli-process.ts';
import { environmentSchema } from '../../domain/environment.ts';
import { projectSchema } from '../../domain/project.ts';
import { projectEnvironmentSchema } from '../../domain/project-environment.ts';
import { strategySchema } from '../../domain/strategy.ts';

test('the sample is what Edge accepts, and every file is named', async () => {
  await using folder = await mkdtempDisposable('/tmp/edge-cli-');
  const { status, stdout } = await cli(['init'], { folder: folder.path });
  assert.equal(status, 0);
  const schemas = {
    'project.yaml': projectSchema,
    'environment.yaml': environmentSchema,
    'strategy.yaml': strategySchema,
    'project-environment.yaml': projectEnvironmentSchema,
  };
  assert.deepEqual((await readdir(join(folder.path, 'edge'))).sort(), Object.keys(schemas).sort());
  for (const [name, schema] of Object.entries(schemas)) {
    assert.match(stdout, new RegExp(`^edge/${name}$`, 'm'));
    schema.parse(parse(await readFile(join(folder.path, 'edge', name), 'utf8')));
  }
});

test('nothing is written where one of the files is', async () => {
  await using folder = await mkdtempDisposable('/tmp/edge-cli-');
  await writeFile(join(folder.path, 'strategy.yaml'), 'mine');
  const { status, stderr } = await cli(['init', '.'], { folder: folder.path });
  assert.equal(status, 2);
  assert.match(stderr, /strategy\.yaml exists already; nothing was written/);
  assert.deepEqual(await readdir(folder.path), ['strategy.yaml']);
});

test('with --json the files are one value', async () => {
  await using folder = await mkdtempDisposable('/tmp/edge-cli-');
  const { stdout } = await cli(['init', 'a', '--json'], { folder: folder.path });
  assert.equal(JSON.parse(stdout).files.length, 4);
});
