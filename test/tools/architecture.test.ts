// Each rule of .dependency-cruiser.mjs is proved once: a planted tree breaks it, and allowed imports stay quiet.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';
import { cruiseImports } from '../../scripts/imports.ts';
import { projectRoot } from '../../scripts/project.ts';
import { allowed, installed, planted } from './architecture-violations.ts';

const config = '.dependency-cruiser.mjs';

function writeTree(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${content}\n`);
  }
}

function packageFiles(names: readonly string[]): Record<string, string> {
  const entries = names.map((name) => [
    [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
    [`node_modules/${name}/index.js`, 'exports.x = 1;'],
  ]);
  return Object.fromEntries(entries.flat());
}

function declared(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, '1.0.0']));
}

/** What the rules find in the allowed tree with `files` on top, as sorted `rule: from -> to`. */
async function violationsWith(files: Readonly<Record<string, string>>): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), 'edge-architecture-'));
  try {
    copyFileSync(join(projectRoot, config), join(root, config));
    const manifest = {
      dependencies: declared(installed),
      devDependencies: declared(['fast-check', 'for-development']),
    };
    writeTree(root, {
      'package.json': JSON.stringify(manifest),
      ...packageFiles([...installed, 'fast-check', 'for-development', 'undeclared']),
    });
    writeTree(root, { ...allowed, ...files });
    const { summary } = await cruiseImports(root);
    const plain = (path: string) => path.replace(/^node_modules\/(.*)\/index\.js$/, '$1');
    return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${plain(to)}`).sort();
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

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

test('src/ holds only folders that have a row, and the two entries', async () => {
  const { forbidden = [] } = await extractConfig(join(projectRoot, config));
  const known = forbidden.flatMap((rule) => rule.name?.match(/^folder-(.*)$/)?.[1] ?? []);
  const strangers = readdirSync(join(projectRoot, 'src')).filter(
    (name) => ![...known, 'main.ts', 'compose.ts'].includes(name),
  );
  assert.deepEqual(strangers, []);
});
