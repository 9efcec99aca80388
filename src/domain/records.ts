import type { Environment } from './environment.ts';
import type { HostKeyRecord } from './host-key.ts';
import type { Project } from './project.ts';
import type { ProjectEnvironment } from './project-environment.ts';
import type { Release } from './release.ts';
import type { Strategy } from './strategy.ts';
import type { Token } from './token.ts';

/**
 * What is kept beside the deployments, by kind. Keys: a project's, environment's or strategy's name;
 * `<project>/<environment>`; `<project>/<release id>`; a token's id; `<environment>/<address>:<port>`.
 */
export type RecordTypes = {
  project: Project;
  environment: Environment;
  'project-environment': ProjectEnvironment;
  strategy: Strategy;
  release: Release;
  token: Token;
  'host-key': HostKeyRecord;
};
export type RecordKind = keyof RecordTypes;

/** A record as somebody read it: `version` counts the writes of its key. */
export type RecordVersion = { readonly kind: RecordKind; readonly key: string; readonly version: number };
