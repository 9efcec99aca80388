import type { EdgeClient } from '../api/client.ts';
import type { Input, Output } from '../api/contract.ts';
import { asEdgeError } from '../domain/errors.ts';
import type { DeploymentId } from '../domain/ids.ts';
import { whatOf } from '../words/format.ts';
import type { Expected } from '../words/watched.ts';
import { asksPeople, saysYes } from './ask.ts';
import { conclude } from './conclude.ts';
import type { Cli } from './context.ts';
import { INTERRUPTED } from './interrupts.ts';
import { planLines } from './plan-lines.ts';

export type StartOptions = {
  readonly reason?: string;
  /** Starts without asking. */
  readonly yes?: boolean;
  /** Ends as soon as it is started. */
  readonly detach?: boolean;
  /** Waits for the deployment that holds the environment, in place of being refused. */
  readonly wait?: boolean;
};

/** What stands in the record when no reason is given: `aborted on the command line`. */
export const unexplained = (done: string): string => `${done} on the command line`;

/** Shows the plan and asks, if a person is there; then starts the deployment and follows it to its end. */
export async function start(cli: Cli, request: Input<'plan'>, options: StartOptions): Promise<number> {
  const client = await cli.client();
  const asks = asksPeople(cli) && !options.yes;
  while (true) {
    if (options.wait) await untilFree(cli, client, request);
    const plan = asks ? await client.plan(request) : null;
    if (plan && !(await agreed(cli, plan))) return INTERRUPTED;
    const started = await deploy(
      client,
      { ...request, reason: options.reason ?? unexplained('started') },
      { plan, wait: options.wait },
    );
    const expected = plan ? { forecast: plan.forecast } : {};
    if (started)
      return goOn(cli, client, { ...started, detach: options.detach ?? false, from: 'start', ...expected });
  }
}

async function agreed(cli: Cli, plan: Output<'plan'>): Promise<boolean> {
  for (const text of planLines(plan)) cli.say(text);
  const yes = await saysYes(cli, 'Start this?');
  if (!yes) cli.note('Nothing was started.');
  return yes;
}

const LOOK_AGAIN_MS = 2_000;

async function untilFree(
  cli: Cli,
  client: EdgeClient,
  { project, environment }: Input<'plan'>,
): Promise<void> {
  for (let looks = 0; ; looks += 1) {
    const { projectEnvironments } = await client.status({ project, environment });
    const active = projectEnvironments[0]?.active;
    if (!active) return;
    if (looks === 0) cli.note(`Waiting for ${active.id}: ${whatOf(active)} by ${active.by}.`);
    await cli.environment.sleep(LOOK_AGAIN_MS);
  }
}

type Chosen = { readonly plan: Output<'plan'> | null; readonly wait: boolean | undefined };

/** Starts the plan that was read, or none. `null`: another deployment was faster, and this one is to wait. */
async function deploy(
  client: EdgeClient,
  request: Input<'deploy'>,
  { plan, wait }: Chosen,
): Promise<{ readonly deployment: DeploymentId } | null> {
  try {
    const { deployment } = await client.deploy({ ...request, ...(plan && { planHash: plan.hash }) });
    return { deployment };
  } catch (thrown) {
    const error = asEdgeError(thrown);
    if (wait && error.code === 'environment_locked') return null;
    throw error;
  }
}

/** Until when a deployment is paused, before a command goes to it that ends that. */
export async function pausedUntil(client: EdgeClient, deployment: DeploymentId): Promise<number | null> {
  return (await client.deployment({ deployment })).view.overall.paused?.abortAt ?? null;
}

/** How far the log of a deployment is, before a command goes to it. */
export async function versionOf(client: EdgeClient, deployment: DeploymentId): Promise<number> {
  return (await client.deployment({ deployment })).view.overall.version;
}

export type GoOnOptions = {
  readonly deployment: DeploymentId;
  readonly detach: boolean;
  readonly from: 'start' | 'now';
  readonly after?: number;
  readonly resumed?: number | null;
  readonly forecast?: Expected;
  readonly rollsBack?: boolean;
};

/** What follows on a command that set a deployment going: it is followed to its end, or with `--detach` only named. */
export async function goOn(
  cli: Cli,
  client: EdgeClient,
  { detach, ...options }: GoOnOptions,
): Promise<number> {
  if (!detach) return conclude(cli, client, { ...options, onInterrupt: 'pause', json: 'answer' });
  const { deployment } = options;
  const { approvals } = (await client.deployment({ deployment })).view.overall;
  const stands = approvals?.waits ? 'waits for approvals' : 'is under way';
  cli.answer({ deployment }, () => [`${deployment} ${stands}. Follow it with \`edge watch ${deployment}\`.`]);
  const { embedded } = await cli.access();
  if (embedded) cli.note('No server runs here: it goes on when one does. Start one with `edge server`.');
  return 0;
}
