import { EdgeError } from '../domain/errors.ts';
import { approve, promote } from '../operations/approve.ts';
import type { Caller } from '../operations/caller.ts';
import { applyConfiguration, configuration } from '../operations/configuration.ts';
import { deploy } from '../operations/deploy.ts';
import {
  deployment,
  deploymentChanges,
  deploymentEvents,
  deploymentPlan,
  deployments,
  logs,
} from '../operations/deployments.ts';
import { diff } from '../operations/diff.ts';
import { doctor } from '../operations/doctor.ts';
import { drift, findings, lastFindings } from '../operations/drift.ts';
import { answers, exec } from '../operations/exec.ts';
import { deploymentForecast } from '../operations/forecast.ts';
import { showHostKeys, trustHostKeys } from '../operations/host-keys.ts';
import { plan } from '../operations/plan.ts';
import type { OperationPorts } from '../operations/ports.ts';
import { createRelease, releases, uploadArtifact } from '../operations/releases.ts';
import { resolveTarget } from '../operations/resolve.ts';
import { returnParked } from '../operations/return-parked.ts';
import { rollback } from '../operations/rollback.ts';
import {
  appendOutput,
  claimTasks,
  type GivenFile,
  keepOut,
  renewTasks,
  reportTasks,
  waitForWork,
  workerArtifact,
} from '../operations/serve-worker.ts';
import { session, signIn, signOut } from '../operations/session.ts';
import { simulatePlan } from '../operations/simulate-plan.ts';
import { status } from '../operations/status.ts';
import { abort, pause, resume, retryTarget, skipTarget } from '../operations/steer.ts';
import { targets } from '../operations/targets.ts';
import { createToken, revokeToken, tokens } from '../operations/tokens.ts';
import { followLogs, overview, type Watched, watchDeployment } from '../operations/watch.ts';
import type { BytesName, CallName, CookieName, Output, Parsed, StreamName } from './contract.ts';
import { openApi } from './openapi.ts';

/** What a handler may use beside its input. `signal` aborts when the client is gone or the server stops. */
export type HandlerContext = {
  readonly ports: OperationPorts;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** Of Edge. */
  readonly version: string;
};

type CallHandler<N extends CallName> = (context: HandlerContext, input: Parsed<N>) => Promise<Output<N>>;
type StreamHandler<N extends StreamName> = {
  readonly open: (context: HandlerContext, input: Parsed<N>) => Promise<AsyncIterable<Output<N>>>;
  /** The id that a client goes on from; `null` for what is only of the moment. */
  readonly idOf: (item: Output<N>, input: Parsed<N>) => string | null;
};

/** `body`: what is sent. `give`: sends a file as the answer, and resolves when it is sent, or the client is gone. */
export type Bytes = {
  readonly body: AsyncIterable<Uint8Array>;
  readonly give: (file: GivenFile) => Promise<void>;
};
type BytesHandler<N extends BytesName> = (
  context: HandlerContext & Bytes,
  input: Parsed<N>,
) => Promise<Output<N>>;

/** `secret`: the session that the request has. `keep`: gives the browser another one; `null` takes it away. */
export type Cookie = {
  readonly secret: string | null;
  readonly keep: (secret: string | null, expiresAt?: number | null) => void;
};
type CookieHandler<N extends CookieName> = (
  context: HandlerContext & { readonly cookie: Cookie },
  input: Parsed<N>,
) => Promise<Output<N>>;

/** One for each route: a route without a handler is a type error here. */
export type Handlers = { readonly [N in Exclude<CallName, CookieName>]: CallHandler<N> } & {
  readonly [N in CookieName]: CookieHandler<N>;
} & {
  readonly [N in StreamName]: StreamHandler<N>;
} & { readonly [N in BytesName]: BytesHandler<N> };

/** A handler that does nothing but its operation. */
const does =
  <I, O>(operation: (ports: OperationPorts, caller: Caller, input: I) => Promise<O>) =>
  ({ ports, caller }: HandlerContext, input: I): Promise<O> =>
    operation(ports, caller, input);

/** The same for operations that end when the client is gone. */
const watches =
  <I, O>(operation: (ports: OperationPorts, caller: Caller, watched: Watched<I>) => Promise<O>) =>
  ({ ports, caller, signal }: HandlerContext, input: I): Promise<O> =>
    operation(ports, caller, { input, signal });

export const HANDLERS: Handlers = {
  health: async ({ ports, version }) => {
    await ports.views.deployments({ limit: 1 });
    return { status: 'ok', version };
  },
  openapi: async ({ version }) => openApi(version),

  applyConfiguration: watches(applyConfiguration),
  configuration: does(configuration),
  createRelease: watches(createRelease),
  uploadArtifact: ({ ports, caller, signal, body }, { sha256 }) =>
    uploadArtifact(ports, caller, { input: { sha256, bytes: body }, signal }),
  releases: does(releases),

  status: does(status),
  overview: { open: watches(overview), idOf: () => null },
  targets: does(targets),
  doctor: does(doctor),
  showHostKeys: does(showHostKeys),
  trustHostKeys: does(trustHostKeys),

  plan: does(plan),
  diff: does(diff),
  simulatePlan: { open: watches(simulatePlan), idOf: () => null },
  deploy: does(deploy),
  deployments: does(deployments),
  deployment: does(deployment),
  deploymentPlan: does(deploymentPlan),
  deploymentForecast: does(deploymentForecast),
  deploymentChanges: does(deploymentChanges),
  deploymentEvents: does(deploymentEvents),
  watchDeployment: {
    open: watches(watchDeployment),
    idOf: (item, input) => (item.kind === 'event' ? `${input.deployment}:${item.version}` : null),
  },
  logs: does(logs),
  followLogs: { open: watches(followLogs), idOf: ({ id }, input) => `${input.deployment}:${id}` },

  exec: does(exec),
  answers: watches(answers),
  drift: does(drift),
  findings: watches(findings),
  lastFindings: does(lastFindings),

  pause: does(pause),
  resume: does(resume),
  abort: does(abort),
  approve: does(approve),
  promote: does(promote),
  rollback: does(rollback),
  retryTarget: does(retryTarget),
  skipTarget: does(skipTarget),
  resolveTarget: does(resolveTarget),
  returnParked: does(returnParked),

  tokens: does(tokens),
  createToken: does(createToken),
  revokeToken: does(revokeToken),

  signIn: async ({ ports, caller, cookie }) => {
    const { session: made, secret } = await signIn(ports, caller);
    cookie.keep(secret, made.expiresAt);
    return { session: made };
  },
  session: does(session),
  signOut: async ({ ports, caller, cookie }) => {
    await signOut(ports, caller, cookie.secret);
    cookie.keep(null);
    return {};
  },

  claimTasks: does(claimTasks),
  renewTasks: does(renewTasks),
  keepOut: does(keepOut),
  reportTasks: does(reportTasks),
  appendOutput: does(appendOutput),
  waitForWork: watches(waitForWork),
  workerArtifact: async ({ ports, caller, signal, give }, input) => {
    await workerArtifact(ports, caller, { input: { ...input, give }, signal });
    return {};
  },
};

/** `<deployment>:<number>` as `after`. Throws `request_invalid` for an id of another stream. */
export function resumeAfter(lastEventId: string, deployment: unknown): number {
  const colon = lastEventId.lastIndexOf(':');
  const after = Number(lastEventId.slice(colon + 1));
  if (lastEventId.slice(0, colon) === deployment && Number.isSafeInteger(after) && after >= 0) return after;
  throw new EdgeError('request_invalid', 'Last-Event-ID is not of this stream', {
    where: { path: 'Last-Event-ID' },
  });
}
