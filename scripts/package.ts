import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build } from 'rolldown';
import { buildPage } from './page.ts';
import { projectRoot } from './project.ts';

const at = (...path: readonly string[]) => join(projectRoot, ...path);

/** These find parts of their own by path, or load them by a name that is made when they run. They stay dependencies. */
const LEFT_OUT = ['@aws-sdk/client-cloudwatch', 'fastify', 'mysql2', 'pino', 'ssh2', 'undici'];

/**
 * Makes in `folder` what is published: what was written here and the small packages that it needs as JavaScript in few files, and
 * `bin/edge`, which starts it. Node strips no types below node_modules, and a program of 20 files starts in half the time of one of
 * 220. What was in the folder goes.
 */
export async function buildPackage(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { output } = await build({
    // Threads are found beside the file that starts them, under these names.
    input: {
      main: at('src/main.ts'),
      'sqlite-thread': at('src/adapters/sqlite/sqlite-thread.ts'),
      'plan-thread': at('src/simulation/plan/plan-thread.ts'),
    },
    platform: 'node',
    external: (id) => LEFT_OUT.some((name) => id === name || id.startsWith(`${name}/`)),
    output: { dir: join(folder, 'lib'), entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
  });
  const modules = output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
  const page = await buildPage(join(folder, 'lib/page'));
  await cp(at('src/lab/app'), join(folder, 'lib/app'), { recursive: true });
  await cp(at('bin'), join(folder, 'bin'), { recursive: true });
  for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE']) await cp(at(file), join(folder, file));
  await writeFile(join(folder, 'THIRD-PARTY-LICENSES'), await licensesOf([...modules, ...page.modules]));
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(await description(), null, 2)}\n`);
}

async function description(): Promise<unknown> {
  const { scripts: _, devDependencies: __, dependencies, ...rest } = await packageJson(projectRoot);
  const needed = Object.entries(dependencies).filter(([name]) => LEFT_OUT.includes(name));
  return { ...rest, dependencies: Object.fromEntries(needed) };
}

type PackageJson = {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly scripts?: unknown;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: unknown;
};

const packageJson = async (folder: string): Promise<PackageJson> =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));

/** What the packages whose code is in the files ask to stand beside it. */
async function licensesOf(modules: readonly string[]): Promise<string> {
  const paths = modules.map((module) => relative(at('node_modules'), module).split('/'));
  const inside = paths.filter(([first]) => first !== undefined && first !== '..' && !first.startsWith('\0'));
  const names = new Set(inside.map(([scope, name]) => (scope?.startsWith('@') ? `${scope}/${name}` : scope)));
  const parts = [...names].sort().map(async (name = '') => {
    const folder = at('node_modules', name);
    const { version, license } = await packageJson(folder);
    return `${name} ${version} (${license})\n\n${await licenseIn(folder)}`;
  });
  return (await Promise.all(parts)).join(`\n${'-'.repeat(80)}\n\n`);
}

async function licenseIn(folder: string): Promise<string> {
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'License', 'license']) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  throw new Error(`no licence is found in ${folder}`);
}
