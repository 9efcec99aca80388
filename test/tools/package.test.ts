import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { installEdge } from '../support/installed-edge.ts';

describe('the package that is published', () => {
  let folder: string;
  let program: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edge-package-'));
    program = await installEdge(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const edge = (...args: readonly string[]) => {
    const env = { PATH: process.env.PATH, HOME: folder, XDG_CACHE_HOME: folder };
    const ran = spawnSync(program, args, { cwd: folder, env, encoding: 'utf8', timeout: 60_000 });
    assert.equal(ran.status, 0, `${args.join(' ')}: ${ran.stderr}${ran.stdout}`);
    return ran.stdout;
  };

  test('says its version', async () => {
    const { version } = JSON.parse(await readFile(join(program, '../../package.json'), 'utf8'));
    assert.equal(edge('--version'), `${version}\n`);
  });

  test('keeps a record in SQLite, and runs a plan in its threads', () => {
    edge('init', 'sample');
    const applied = JSON.parse(edge('apply', '-f', 'sample', '--json'));
    assert.equal(applied.documents.length, 4);
    const restart = ['plan', 'shop', 'production', '--verb', 'restart'];
    const { cases } = JSON.parse(edge(...restart, '--simulate', '4', '--json'));
    assert.equal(cases[0].runs, 4);
  });

  test('brings the page, with what a browser loads at first in less than 350 kB', async () => {
    const page = join(program, '../../lib/page');
    const files = await readdir(page, { recursive: true });
    const zipped = files.filter((file) => file.endsWith('.gz'));
    const sizes = await Promise.all(zipped.map(async (file) => (await readFile(join(page, file))).length));
    assert.ok(files.includes('index.html') && zipped.length >= 3);
    assert.ok(sizes.reduce((sum, size) => sum + size) < 350_000);
  });

  test('has no source that Node would not load where it is installed, and the licences of what is in it', async () => {
    const files = await readdir(join(program, '../..'), { recursive: true });
    assert.deepEqual(
      files.filter((file) => file.endsWith('.ts')),
      [],
    );
    const licenses = await readFile(join(program, '../../THIRD-PARTY-LICENSES'), 'utf8');
    for (const name of ['zod', 'commander', 'yaml', 'react', '@tanstack/react-query', 'd3-scale'])
      assert.match(licenses, new RegExp(`^${name} \\d`, 'm'));
  });
});
