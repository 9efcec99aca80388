// Server programs that tests start: found on this machine, else installed where that is possible. What PyPI has goes into a folder of this
// project, and not into the machine.
// `bin/node scripts/services.ts install sshd haproxy`
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { withFolderLock } from './folder-lock.mjs';
import { projectRoot } from './project.ts';

interface Service {
  /** What must be there; the first is the server. */
  readonly programs: readonly [string, ...string[]];
  readonly debianPackages: readonly string[];
  /** Where Debian has none: of PyPI, with their exact versions. The Debian packages are what these need. */
  readonly pythonPackages?: readonly string[];
  /** Folders that an init script would make. */
  readonly folders?: readonly string[];
  /** A project of Maven, under the root of ours: the server is the jars that it depends on, in a folder. */
  readonly jarsOf?: string;
}

const services = {
  sshd: {
    programs: ['sshd', 'ssh', 'ssh-keygen', 'sudo'],
    debianPackages: ['openssh-server', 'openssh-client', 'sudo'],
    folders: ['/run/sshd'],
  },
  busybox: { programs: ['busybox'], debianPackages: ['busybox'] },
  haproxy: { programs: ['haproxy'], debianPackages: ['haproxy'] },
  nginx: { programs: ['nginx'], debianPackages: ['nginx-light'] },
  ansible: { programs: ['ansible-playbook'], debianPackages: ['ansible'] },
  clush: { programs: ['clush'], debianPackages: ['clustershell'] },
  pssh: { programs: ['parallel-ssh'], debianPackages: ['pssh'] },
  fabric: { programs: ['fab'], debianPackages: ['fabric'] },
  mariadb: { programs: ['mariadbd', 'mariadb-install-db', 'mariadb'], debianPackages: ['mariadb-server'] },
  chromium: { programs: ['chromium'], debianPackages: ['chromium'] },
  prometheus: { programs: ['prometheus', 'promtool'], debianPackages: ['prometheus'] },
  graphite: {
    programs: ['graphite-manage', 'whisper-create', 'whisper-update'],
    debianPackages: ['graphite-web', 'python3-whisper'],
  },
  influxdb: { programs: ['influxd'], debianPackages: ['influxdb'] },
  opensearch: {
    programs: ['java', 'mvn'],
    debianPackages: ['default-jre-headless', 'maven'],
    jarsOf: 'test/support/opensearch/pom.xml',
  },
  moto: {
    programs: ['moto_server'],
    debianPackages: ['python3-venv'],
    // `moto[server]` would bring what its other services want, which is more than all of this.
    pythonPackages: ['moto==5.2.1', 'flask==3.1.3', 'flask-cors==6.0.5'],
  },
} satisfies Record<string, Service>;

export type ServiceName = keyof typeof services;

/** Where the server program is, or the folder of its jars, or why it cannot be had. `skip` is what node:test takes as its option of that name. */
export type Provided =
  | { readonly path: string; readonly skip?: undefined }
  | { readonly path?: undefined; readonly skip: string };

/** For tests: a service or the reason to skip; throws instead where EDGE_TEST_REQUIRE=all. */
export function requireService(name: ServiceName): Provided {
  const provided = provideService(name);
  if (provided.skip !== undefined && process.env.EDGE_TEST_REQUIRE === 'all') throw new Error(provided.skip);
  return provided;
}

/** Finds the service's programs and jars, or installs them. */
export function provideService(name: ServiceName): Provided {
  const service: Service = services[name];
  const provided = providePrograms(name, service);
  if (provided.skip !== undefined || service.jarsOf === undefined) return provided;
  return provideJars(name, join(projectRoot, service.jarsOf));
}

function providePrograms(name: ServiceName, service: Service): Provided {
  if (missingPrograms(service).length === 0) return ready(service);
  const obstacle = whyNotInstallable(service);
  if (obstacle) return { skip: `${name}: ${missingPrograms(service).join(', ')} not found; ${obstacle}` };
  return withFolderLock(join(tmpdir(), 'edge-services.lock'), () => {
    const failure = missingPrograms(service).length > 0 ? install(service) : undefined;
    const missing = missingPrograms(service);
    if (missing.length === 0) return ready(service);
    return { skip: `${name}: ${missing.join(', ')} not found; ${failure ?? 'its packages do not hold it'}` };
  });
}

/** They are there once the project that they are of is among them, as it is now. */
function provideJars(name: ServiceName, project: string): Provided {
  const folder = join(projectRoot, 'node_modules/.cache/edge', name);
  const wanted = readFileSync(project, 'utf8');
  const mark = join(folder, 'pom.xml');
  const isThere = () => existsSync(mark) && readFileSync(mark, 'utf8') === wanted;
  if (isThere()) return { path: folder };
  return withFolderLock(join(tmpdir(), 'edge-services.lock'), () => {
    if (isThere()) return { path: folder };
    rmSync(folder, { recursive: true, force: true });
    const failure = fetchJars(project, folder);
    if (failure !== undefined) return { skip: `${name}: its jars cannot be had; ${failure}` };
    writeFileSync(mark, wanted);
    return { path: folder };
  });
}

/** Returns what went wrong, if anything. */
function fetchJars(project: string, folder: string): string | undefined {
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`, '-DincludeScope=runtime'];
  const options = { encoding: 'utf8' as const, timeout: installTimeoutMs };
  const result = spawnSync('mvn', ['-q', '-B', '-f', project, ...goal], options);
  if (result.status === 0) return undefined;
  const said = (result.stdout ?? '').split('\n').find((line) => line.includes('ERROR'));
  return `mvn failed: ${result.error?.message ?? said ?? result.signal}`;
}

function missingPrograms({ programs }: Service): string[] {
  return programs.filter((program) => findProgram(program) === undefined);
}

function ready({ programs: [server], folders = [] }: Service): Provided {
  const path = findProgram(server);
  if (path === undefined) return { skip: `${server} is gone` };
  if (process.getuid?.() === 0) for (const folder of folders) mkdirSync(folder, { recursive: true });
  return { path };
}

/** Servers are often outside the PATH of a user. */
function findProgram(program: string): string | undefined {
  const usual = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  const folders = [...usual, join(pythonFolder, 'bin')];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function whyNotInstallable({ pythonPackages }: Service): string | undefined {
  if (pythonPackages && findProgram('python3') !== undefined) return undefined;
  if (findProgram('apt-get') === undefined) return 'only Debian packages can be installed from here';
  if (process.getuid?.() !== 0) return 'only root can install it';
  return undefined;
}

const pythonFolder = join(projectRoot, 'node_modules/.cache/edge/python');

/** Returns what went wrong, if anything. */
function install({ debianPackages, pythonPackages }: Service): string | undefined {
  if (!pythonPackages) return installPackages(debianPackages);
  const make = (): string | undefined =>
    run(findProgram('python3') ?? 'python3', ['-m', 'venv', '--clear', pythonFolder]);
  const failure = make();
  if (failure !== undefined && process.getuid?.() === 0) {
    const obstacle = installPackages(debianPackages) ?? make();
    if (obstacle !== undefined) return obstacle;
  } else if (failure !== undefined) return failure;
  const options = ['--quiet', '--disable-pip-version-check', '--no-input'];
  return run(join(pythonFolder, 'bin', 'python'), ['-m', 'pip', 'install', ...options, ...pythonPackages]);
}

/** Returns what went wrong, if anything. Package lists are fetched only if the install does not work with those at hand. */
function installPackages(packages: readonly string[]): string | undefined {
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  return withoutDaemons(() => {
    if (aptGet(install) === undefined) return undefined;
    return aptGet(['update', '-qq']) ?? aptGet(install);
  });
}

const aptGet = (args: readonly string[]): string | undefined =>
  run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args]);

const installTimeoutMs = 5 * 60_000;

function run(program: string, args: readonly string[]): string | undefined {
  const options = {
    encoding: 'utf8' as const,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: installTimeoutMs,
  };
  const result = spawnSync(program, args, options);
  if (result.status === 0) return undefined;
  const lastLine = (result.stderr ?? '').trim().split('\n').at(-1);
  return `${program} failed: ${result.error?.message ?? lastLine ?? result.signal}`;
}

/** A package must not start its daemon: Debian asks this script before it starts one. */
function withoutDaemons<T>(action: () => T): T {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return action();
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return action();
  } finally {
    rmSync(policy, { force: true });
  }
}

function isServiceName(name: string): name is ServiceName {
  return Object.hasOwn(services, name);
}

function main([verb, ...names]: readonly string[]): number {
  const unknown = names.filter((name) => !isServiceName(name));
  if (verb !== 'install' || names.length === 0 || unknown.length > 0) {
    console.error(`usage: services.ts install <${Object.keys(services).join('|')}> …`);
    return 2;
  }
  const results = names.filter(isServiceName).map((name) => ({ name, ...provideService(name) }));
  for (const { name, path, skip } of results)
    console.log(path === undefined ? `missing  ${skip}` : `${name}  ${path}`);
  return results.some(({ path }) => path === undefined) ? 1 : 0;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
