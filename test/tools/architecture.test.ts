// Each rule of .dependency-cruiser.mjs is proved once: a planted tree breaks it, and allowed imports stay quiet.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';
import { cruiseImports } from '../../scripts/imports.ts';
import { projectRoot } from '../../scripts/project.ts';
import { withTemporaryFolder } from '../support/temporary-folder.ts';
import { writeTree } from '../support/write-tree.ts';
import { allowed, forDevelopment, installed, planted } from './architecture-violations.ts';

const config = '.dependency-cruiser.mjs';

const declared = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, '1.0.0']));
const manifest = { dependencies: declared(installed), devDependencies: declared(forDevelopment) };

const packageFiles = Object.fromEntries(
  [...installed, ...forDevelopment, 'undeclared'].flatMap((name) => [
    [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
    [`node_modules/${name}/index.js`, 'exports.x = 1;'],
  ]),
);

/** What the rules find in the allowed tree with `files` on top, as sorted `rule: from -> to`. */
function violationsWith(files: Readonly<Record<string, string>>): Promise<string[]> {
  return withTemporaryFolder(async (root) => {
    copyFileSync(join(projectRoot, config), join(root, config));
    writeTree(root, { 'package.json': JSON.stringify(manifest), ...packageFiles, ...allowed, ...files });
    const { summary } = await cruiseImports(root);
    return summary.violations
      .map(({ rule, from, to }) => `${rule.name}: ${from} -> ${withoutPath(to)}`)
      .sort();
  });
}

/** `node_modules/ssh2/index.js` is `ssh2`. */
const withoutPath = (to: string): string => to.replace(/^node_modules\/(.*)\/index\.js$/, '$1');

test('the imports that the table allows are quiet', async () => {
  assert.deepEqual(await violationsWith({}), []);
});

for (const [title, { files, broken }] of Object.entries(planted)) {
  test(`${title}: a planted violation is found`, async () => {
    assert.deepEqual(await violationsWith(files), [...broken].sort());
  });
}

test('every rule is proved by a planted violation', async () => {
  const { forbidden = [] } = await extractConfig(join(projectRoot, config));
  const proved = new Set(
    Object.values(planted).flatMap(({ broken }) => broken.map((line) => line.split(': ')[0])),
  );
  assert.deepEqual(
    forbidden.map((rule) => rule.name).filter((name) => !proved.has(name)),
    [],
  );
});

test('every code file is cruised, as find(1) counts them', async () => {
  const { modules } = await cruiseImports(projectRoot);
  const found = execFileSync('find', ['src', 'test', '-name', '*.ts', '-type', 'f'], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  const files = found.trim().split('\n');
  const cruised = modules.filter(({ source }) => /^(src|test)\/.*\.ts$/.test(source));
  assert.equal(cruised.length, files.length);
});

const ENTRIES = [
  ...['main.ts', 'roles.ts', 'demo.ts', 'data-folder.ts', 'compose.ts', 'plugins.ts', 'world.ts'],
];

test('src/ holds only folders that have a row, and the files that pick adapters', async () => {
  const { forbidden = [] } = await extractConfig(join(projectRoot, config));
  const known = forbidden.flatMap((rule) => rule.name?.match(/^folder-(.*)$/)?.[1] ?? []);
  const strangers = readdirSync(join(projectRoot, 'src')).filter(
    (name) => ![...known, ...ENTRIES].includes(name) && !name.endsWith('.test.ts'),
  );
  assert.deepEqual(strangers, []);
});
