import type { Environment } from '../domain/environment.ts';
import { environmentSchema } from '../domain/environment.ts';
import type { Project } from '../domain/project.ts';
import { projectSchema } from '../domain/project.ts';
import type { ProjectEnvironment } from '../domain/project-environment.ts';
import { projectEnvironmentSchema } from '../domain/project-environment.ts';
import type { ReleaseRequest } from '../domain/release.ts';
import { releaseRequestSchema } from '../domain/release.ts';
import { type ScriptRequest, scriptRequestSchema } from '../domain/script.ts';
import type { Strategy } from '../domain/strategy.ts';
import { strategySchema } from '../domain/strategy.ts';

/** The kinds of documents that people write, by the word that they start with. */
export const KINDS = {
  project: projectSchema,
  environment: environmentSchema,
  'project-environment': projectEnvironmentSchema,
  strategy: strategySchema,
  script: scriptRequestSchema,
  release: releaseRequestSchema,
} as const;
export type Kind = keyof typeof KINDS;

export const KIND_NAMES: readonly Kind[] = [
  'project',
  'environment',
  'project-environment',
  'strategy',
  'script',
  'release',
];

export const isKind = (text: unknown): text is Kind => KIND_NAMES.some((kind) => kind === text);

/** A document as it was read, with its defaults filled in. */
export type ConfigDocument =
  | Project
  | Environment
  | ProjectEnvironment
  | Strategy
  | ScriptRequest
  | ReleaseRequest;

/** What a document is called among those of its kind; the key of its record. A release gets its id only when it is made. */
export function keyOf(document: ConfigDocument): string {
  switch (document.kind) {
    case 'project':
    case 'environment':
    case 'strategy':
    case 'script':
      return document.name;
    case 'project-environment':
      return `${document.project}/${document.environment}`;
    case 'release':
      return `${document.project}/${document.version}`;
    default:
      return document satisfies never;
  }
}
