import type { Environment } from './environment.ts';
import type { HostKeyRecord } from './host-key.ts';
import type { PlanHash } from './ids.ts';
import type { Project } from './project.ts';
import type { ProjectEnvironment } from './project-environment.ts';
import type { Release } from './release.ts';
import type { Script } from './script.ts';
import type { Session } from './session.ts';
import type { Strategy } from './strategy.ts';
import type { Token } from './token.ts';

/**
 * What is kept beside the deployments, by kind. Keys: a project's, environment's, strategy's or script's name;
 * `<project>/<environment>`; `<project>/<release id>`; a token's id; a session's id; `<environment>/<address>:<port>`. What was read of an inventory has the key of its
 * project environment.
 */
export type RecordTypes = {
  project: Project;
  environment: Environment;
  'project-environment': ProjectEnvironment;
  strategy: Strategy;
  script: Script;
  release: Release;
  token: Token;
  session: Session;
  'host-key': HostKeyRecord;
  'inventory-read': InventoryReads;
};
export type RecordKind = keyof RecordTypes;

/** A record as somebody read it: `version` counts the writes of its key. */
export type RecordVersion = { readonly kind: RecordKind; readonly key: string; readonly version: number };

/** What the inventory of a project environment gave, newest first: to tell what has changed, and never to plan with. */
export type InventoryReads = { readonly reads: readonly InventoryRead[] };

/** `at`: when it was seen so last. `targets`: each with a digest of all that was said of it. `plans`: those that were made of it. */
export type InventoryRead = {
  readonly at: number;
  readonly origin: string;
  readonly targets: readonly (readonly [name: string, digest: string])[];
  readonly plans: readonly PlanHash[];
};
