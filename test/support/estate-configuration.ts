import type { Nginx } from './nginx.ts';
import type { Sshd } from './sshd.ts';

export const POOL = 'web';
export const PROJECT = 'shop';
export const ENVIRONMENT = 'dc';

export type EstateTarget = {
  readonly name: string;
  readonly sshd: Sshd;
  readonly appPort: number;
  readonly appUrl: string;
};

export type EstateSettings = {
  readonly minInService: string | number;
  readonly minInServicePerZone?: string | number;
  /** A strategy as YAML, in one line. */
  readonly strategy: string;
  /** More fields of the project, as lines of YAML. */
  readonly project?: string;
  /** More fields of the environment, as lines of YAML. */
  readonly environment?: string;
  /** What Edge is told that stands before the targets; left out: HAProxy. `none`: they are members of nothing. */
  readonly balancer?: 'none' | 'nginx';
  /** Edge is told the key of no host. */
  readonly strangers?: boolean;
  /** In so many zones, the hosts dealt out in turn; one if it is left out. */
  readonly zones?: number;
};

export type Files = {
  readonly knownHosts: string;
  readonly balancerSocket: string;
  /** How Edge is told of the nginx on the first of the hosts. */
  readonly nginx?: Nginx['config'];
};

/** The whole of what Edge is told of an estate, as YAML. Times are patient: a machine under load must not fail a test. */
export function estateConfiguration(
  targets: readonly EstateTarget[],
  files: Files,
  options: EstateSettings,
): string {
  const { knownHosts } = files;
  const [first] = targets;
  return `kind: project
name: ${PROJECT}
folder: ~/shop
health:
  check: { kind: http, path: /health, status: 200, version: { jsonPath: version }, timeoutMs: 20000 }
  passes: 2
  intervalMs: 100
  windowMs: 60000
${options.project ?? ''}
---
kind: environment
name: ${ENVIRONMENT}
ssh:
  user: ${first?.sshd.user}
  identityFile: ${first?.sshd.identityFile}
${options.strangers ? '' : `  knownHosts: ${knownHosts}\n`}${balancersOf(options, files, first)}
policy:
  minInService: ${options.minInService}
  minInServicePerZone: ${options.minInServicePerZone ?? 0}
${zonesOf(options)}${options.environment ?? ''}---
kind: project-environment
project: ${PROJECT}
environment: ${ENVIRONMENT}
strategy: ${options.strategy}
targets:
${targets.map((target, index) => targetLine(target, zoneOf(index, options), options)).join('\n')}
`;
}

function balancersOf(
  { balancer = 'haproxy' }: { readonly balancer?: string },
  { knownHosts, balancerSocket, nginx }: Files,
  first: EstateTarget | undefined,
): string {
  if (balancer === 'none') return '';
  if (balancer === 'haproxy') return `balancers:\n  front: { kind: haproxy, socket: ${balancerSocket} }`;
  const { address, port, user, identityFile } = first?.sshd ?? {};
  const ssh = { user, port, identityFile, knownHosts };
  return `balancers:\n  front: ${JSON.stringify({ kind: 'nginx', hosts: [{ address }], ssh, ...nginx })}`;
}

function targetLine(target: EstateTarget, zone: string, { balancer }: EstateSettings): string {
  const { name, sshd, appPort } = target;
  const member = balancer === 'none' ? '' : `, member: '${POOL}/${balancer ? nginxMember(target) : name}'`;
  return `  - { name: ${name}, address: ${sshd.address}, sshPort: ${sshd.port}, port: ${appPort}${member}${zone} }`;
}

/** An upstream has no names: a server is its address. */
export const nginxMember = ({ sshd, appPort }: EstateTarget): string => `${sshd.address}:${appPort}`;

const zonesOf = (options: EstateSettings): string => {
  const names = zoneNames(options);
  return names.length === 0 ? '' : `zones: [${names.map((name) => `{ name: ${name} }`).join(', ')}]\n`;
};

const zoneOf = (index: number, options: EstateSettings): string => {
  const names = zoneNames(options);
  return names.length === 0 ? '' : `, zone: ${names[index % names.length]}`;
};

/** One zone has no name. */
const zoneNames = ({ zones = 1 }: EstateSettings): readonly string[] =>
  zones === 1 ? [] : Array.from({ length: zones }, (_, n) => `dc-${n + 1}`);

export function targetsByZone(
  targets: readonly EstateTarget[],
  options: EstateSettings,
): Readonly<Record<string, readonly string[]>> {
  const names = zoneNames(options);
  const inZone = (zone: number) => targets.filter((_, index) => index % names.length === zone);
  return Object.fromEntries(names.map((name, zone) => [name, inZone(zone).map((target) => target.name)]));
}
