import { z } from 'zod';
import { ROLES } from '../domain/permission.ts';
import { type Release, releaseRequestSchema } from '../domain/release.ts';
import { DEPLOYMENT_ROUTES } from './deployment-contract.ts';
import { DRIFT_ROUTES } from './drift-contract.ts';
import { EXEC_ROUTES } from './exec-contract.ts';
import { atField, environmentField, opaque, projectField, releaseIdField, sha256Field } from './fields.ts';
import { HOST_KEY_ROUTES } from './host-key-contract.ts';
import { type InputOf, type OutputOf, type ParsedOf, type Route, route } from './route.ts';
import { SESSION_ROUTES } from './session-contract.ts';
import {
  doctorCheckSchema,
  overviewItemSchema,
  projectEnvironmentStatusSchema,
  targetsSchema,
  tokenInfoSchema,
} from './shapes.ts';
import { WORKER_ROUTES } from './worker-contract.ts';

/**
 * The HTTP API as data: the server registers it, the client and OpenAPI are derived from it, and the permission tests are
 * generated from it. A route's key is the name of the client's method and of the operation in OpenAPI.
 */

const MEGABYTE = 1_048_576;

const placeFilter = z.strictObject({
  project: projectField.exactOptional(),
  environment: environmentField.exactOptional(),
});

export const ROUTES = {
  health: route({
    method: 'GET',
    path: '/health',
    permission: 'public',
    summary: 'Whether this server answers and reaches its store.',
    response: z.object({ status: z.literal('ok'), version: z.string() }),
  }),
  openapi: route({
    method: 'GET',
    path: '/openapi.json',
    permission: 'public',
    summary: 'This API as OpenAPI 3.1.',
    response: opaque<Readonly<Record<string, unknown>>>('OpenAPI', 'An OpenAPI 3.1 document.'),
  }),

  applyConfiguration: route({
    method: 'PUT',
    path: '/v1/configuration',
    permission: 'configuration.write',
    summary: 'Creates or changes projects, environments, strategies, scripts and releases: all or none.',
    maxBodyBytes: 16 * MEGABYTE,
    slow: true,
    body: z.strictObject({
      files: z
        .array(
          z.object({
            path: z.string().min(1).max(1_024).describe('Shown in errors.'),
            text: z.string().describe('YAML; several documents may be in one file.'),
          }),
        )
        .min(1)
        .max(10_000),
      dryRun: z.boolean().default(false).describe('Only say what would change.'),
    }),
    response: z.object({
      documents: z.array(
        z.object({
          kind: z.string(),
          key: z.string(),
          change: z.enum(['created', 'updated', 'unchanged']),
        }),
      ),
    }),
  }),
  configuration: route({
    method: 'GET',
    path: '/v1/configuration',
    permission: 'configuration.read',
    summary: 'The configuration as it is kept, secrets by reference.',
    response: z.object({
      documents: z.array(
        z.object({
          kind: z.string(),
          key: z.string(),
          version: z.int().min(1).describe('Counts its changes.'),
          at: atField,
          value: opaque<Readonly<Record<string, unknown>>>('Document', 'As written, with defaults.'),
        }),
      ),
    }),
  }),

  createRelease: route({
    method: 'POST',
    path: '/v1/releases',
    permission: 'release.create',
    summary: 'Makes a release; the same content again gives the same release.',
    slow: true,
    body: releaseRequestSchema,
    response: z.object({ release: releaseIdField, hash: z.string(), created: z.boolean() }),
  }),
  uploadArtifact: route({
    method: 'PUT',
    path: '/v1/artifacts/:sha256',
    permission: 'release.create',
    summary:
      'Takes in a file, by its digest, for a release that is made next. What does not have the digest, or breaks off, leaves nothing.',
    bytes: 'sent',
    params: z.strictObject({ sha256: sha256Field }),
    response: z.object({ sha256: z.string(), sizeBytes: z.int().min(0) }),
  }),
  releases: route({
    method: 'GET',
    path: '/v1/projects/:project/releases',
    permission: 'status.read',
    summary: 'The releases of a project, newest first.',
    params: z.strictObject({ project: projectField }),
    response: z.object({ releases: z.array(opaque<Release>('Release', 'A release; immutable.')) }),
  }),

  status: route({
    method: 'GET',
    path: '/v1/status',
    permission: 'status.read',
    summary: 'What runs where, which deployment is active, and what is parked.',
    query: placeFilter,
    response: z.object({ projectEnvironments: z.array(projectEnvironmentStatusSchema) }),
  }),
  overview: route({
    method: 'GET',
    path: '/v1/stream',
    permission: 'status.read',
    summary: 'A snapshot of the newest deployments, then each one that changed.',
    query: placeFilter,
    stream: { resumes: false },
    response: overviewItemSchema,
  }),
  targets: route({
    method: 'GET',
    path: '/v1/projects/:project/environments/:environment/targets',
    permission: 'deployment.plan',
    summary: 'The targets that a plan would be made of now; an inventory is read anew.',
    longPoll: true,
    params: z.strictObject({ project: projectField, environment: environmentField }),
    response: targetsSchema,
  }),
  doctor: route({
    method: 'GET',
    path: '/v1/doctor',
    permission: 'deployment.plan',
    summary: 'Reads every inventory, and tries every host and balancer, of a project environment.',
    query: placeFilter,
    longPoll: true,
    response: z.object({ checks: z.array(doctorCheckSchema) }),
  }),

  tokens: route({
    method: 'GET',
    path: '/v1/tokens',
    permission: 'token.manage',
    summary: 'All tokens, without what they are.',
    response: z.object({ tokens: z.array(tokenInfoSchema) }),
  }),
  createToken: route({
    method: 'POST',
    path: '/v1/tokens',
    permission: 'token.manage',
    summary: 'Makes a token; it is shown this once.',
    body: z.strictObject({
      name: z.string().trim().min(1).max(100).describe('Who or what uses it; shown in the record.'),
      role: z.enum(ROLES),
      pool: z.string().min(1).max(63).exactOptional().describe('Of a worker: its pool.'),
      expiresAt: atField.exactOptional(),
    }),
    response: z.object({
      token: tokenInfoSchema,
      secret: z.string().describe('What goes behind `Authorization: Bearer`.'),
    }),
  }),
  revokeToken: route({
    method: 'DELETE',
    path: '/v1/tokens/:token',
    permission: 'token.manage',
    summary: 'Ends a token, and within seconds the streams that were opened with it.',
    params: z.strictObject({ token: z.string().min(1).max(100).describe('Its id.') }),
    response: z.object({ token: tokenInfoSchema }),
  }),

  ...SESSION_ROUTES,
  ...HOST_KEY_ROUTES,
  ...DEPLOYMENT_ROUTES,
  ...EXEC_ROUTES,
  ...DRIFT_ROUTES,
  ...WORKER_ROUTES,
} as const satisfies Readonly<Record<string, Route>>;

export type Routes = typeof ROUTES;
export type RouteName = keyof Routes;
export type StreamName = {
  [N in RouteName]: Routes[N] extends { readonly stream: object } ? N : never;
}[RouteName];
export type BytesName = {
  [N in RouteName]: Routes[N] extends { readonly bytes: string } ? N : never;
}[RouteName];
export type CookieName = {
  [N in RouteName]: Routes[N] extends { readonly cookie: true } ? N : never;
}[RouteName];
export type CallName = Exclude<RouteName, StreamName | BytesName>;

export type Input<N extends RouteName> = InputOf<Routes[N]>;
export type Parsed<N extends RouteName> = ParsedOf<Routes[N]>;
export type Output<N extends RouteName> = OutputOf<Routes[N]>;

/** Names that the CLI and the browser speak of. */
export type DeploymentRow = Output<'deployments'>['deployments'][number];
export type DeploymentView = Output<'deployment'>['view'];
export type TargetView = DeploymentView['targets'][number];
export type BatchView = DeploymentView['batches'][number];
export type Overall = DeploymentView['overall'];
export type WatchItem = Output<'watchDeployment'>;
export type ProjectEnvironmentStatus = Output<'status'>['projectEnvironments'][number];
export type Parked = ProjectEnvironmentStatus['parked'][number];
export type HostKeyRow = Output<'showHostKeys'>['hosts'][number];
export type Answer = NonNullable<Output<'answers'>['answers']>[number];
export type Finding = Output<'lastFindings'>['findings'][number];
export type Wait = Output<'deployment'>['waits'][number];
export type StoredEventRow = Output<'deploymentEvents'>['events'][number];
export type OutputRow = Output<'logs'>['rows'][number];
export type SessionInfo = Output<'session'>['session'];
export type DoctorCheck = Output<'doctor'>['checks'][number];
