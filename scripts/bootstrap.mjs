// Makes node_modules match package.json and the lock file, then does nothing until one of them changes.
// Runs on the machine's own Node: plain JavaScript, syntax of Node 18, no package.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withFolderLock } from './folder-lock.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = join(root, 'node_modules', '.edge-bootstrap');
const lockFolder = join(root, '.bootstrap-lock');

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** What the install depends on: the lock and the dependencies, not the rest of package.json. */
function wantedStamp() {
  const { dependencies, devDependencies, optionalDependencies, workspaces } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const wanted = JSON.stringify([
    dependencies,
    devDependencies,
    optionalDependencies,
    workspaces,
    process.platform,
    process.arch,
  ]);
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(wanted)
    .digest('hex');
}

function isInstalled() {
  return readText(stampFile) === wantedStamp();
}

/** The npm that started us, else the one on PATH; never a Node inside node_modules, which the install deletes. */
function npmCommand() {
  const { npm_node_execpath: node, npm_execpath: npm = '' } = process.env;
  const isNpm = /^npm(-cli)?\.c?js$/.test(basename(npm));
  return isNpm ? [node ?? process.execPath, npm] : ['npm'];
}

function environment() {
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !/node_modules[\\/]\.bin$/.test(folder));
  return { ...process.env, PATH: path.join(delimiter) };
}

function install() {
  const [program, ...start] = npmCommand();
  const options = [
    '--include=dev',
    '--include=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  process.stderr.write('Installing packages (first start, or the lock file changed) …\n');
  // Standard output belongs to the command that follows: everything npm says goes to standard error.
  const result = spawnSync(program, [...start, 'ci', ...options], {
    cwd: root,
    env: environment(),
    stdio: ['ignore', 2, 2],
  });
  if (result.error) throw result.error;
  if (result.status !== 0)
    throw new Error(`npm ci ended with ${result.status ?? result.signal}; see its message above`);
  writeFileSync(stampFile, wantedStamp());
}

function installIfNeeded() {
  if (!isInstalled()) install();
}

try {
  if (!isInstalled()) withFolderLock(lockFolder, installIfNeeded);
} catch (error) {
  process.stderr.write(`edge: cannot install the packages: ${error.message}\n`);
  process.exitCode = 1;
}
