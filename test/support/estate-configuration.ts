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
  /** A strategy as YAML, in one line. */
  readonly strategy: string;
  /** More fields of the project, as lines of YAML. */
  readonly project?: string;
};

export type Files = { readonly knownHosts: string; readonly balancerSocket: string };

/** The whole of what Edge is told of an estate, as YAML. Times are patient: a machine under load must not fail a test. */
export function estateConfiguration(
  targets: readonly EstateTarget[],
  { knownHosts, balancerSocket }: Files,
  options: EstateSettings,
): string {
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
  knownHosts: ${knownHosts}
balancers:
  front: { kind: haproxy, socket: ${balancerSocket} }
policy:
  minInService: ${options.minInService}
---
kind: project-environment
project: ${PROJECT}
environment: ${ENVIRONMENT}
strategy: ${options.strategy}
targets:
${targets.map(targetLine).join('\n')}
`;
}

const targetLine = ({ name, sshd, appPort }: EstateTarget): string =>
  `  - { name: ${name}, address: ${sshd.address}, sshPort: ${sshd.port}, port: ${appPort}, member: ${POOL}/${name} }`;
