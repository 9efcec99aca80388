import type { Command } from 'commander';
import type { EdgeClient } from '../../api/client.ts';
import { EdgeError } from '../../domain/errors.ts';
import { type DeploymentId, type PlanHash, planHash } from '../../domain/ids.ts';
import type { Watched } from '../../words/watched.ts';
import { asksPeople, saysYes } from '../ask.ts';
import { BECAUSE, type Choose, DETACH, deploymentNamed, newCommand } from '../command.ts';
import type { Cli } from '../context.ts';
import { INTERRUPTED } from '../interrupts.ts';
import { planLines } from '../plan-lines.ts';
import { unexplained } from '../start.ts';
import { waitingLines } from '../view/ways-on.ts';

type Options = { readonly reason?: string; readonly detach?: boolean };
type ApproveOptions = Options & { readonly planHash?: string; readonly yes?: boolean };

export function addApprove(program: Command, choose: Choose): void {
  newCommand(
    program,
    'approve <deployment>',
    'Shows the plan of a deployment that waits for approvals, and approves it. Whoever asked for it cannot, and nobody twice. With the last approval it starts; `edge watch` follows it then.',
  )
    .option('--plan-hash <hash>', 'the plan that was read, whole or its first 12 digits or more')
    .option(...BECAUSE)
    .option('-y, --yes', 'approve without asking; nothing is asked without a terminal')
    .option(...DETACH)
    .action((id: string, options: ApproveOptions) => {
      choose((cli) => approve(cli, deploymentNamed(id), options));
    });
}

export function addPromote(program: Command, choose: Choose): void {
  newCommand(
    program,
    'promote <deployment>',
    'Lets a deployment start without the approvals that it waits for. For an emergency: it needs a reason, which stands in the record beside your name.',
  )
    .requiredOption('-r, --reason <text>', 'why it cannot wait; kept in the record')
    .option(...DETACH)
    .action((id: string, options: Options & { readonly reason: string }) => {
      choose(async (cli) => {
        const client = await cli.client();
        const deployment = deploymentNamed(id);
        const { overall: before } = (await client.deployment({ deployment })).view;
        const { by } = await client.promote({ deployment, reason: options.reason });
        return heard(cli, client, { deployment, after: before.version, by, options });
      });
    });
}

async function approve(cli: Cli, deployment: DeploymentId, options: ApproveOptions): Promise<number> {
  const client = await cli.client();
  const plan = await client.deploymentPlan({ deployment });
  const read = options.planHash === undefined ? plan.hash : wholeHash(options.planHash, plan.hash);
  if (asksPeople(cli) && !options.yes) {
    const { changes } = await client.deploymentChanges({ deployment });
    for (const text of planLines({ ...plan, changes })) cli.say(text);
    if (!(await saysYes(cli, 'Approve this?'))) {
      cli.note('Nothing was approved.');
      return INTERRUPTED;
    }
  }
  const { overall: before } = (await client.deployment({ deployment })).view;
  const reason = options.reason ?? unexplained('approved');
  const { by } = await client.approve({ deployment, planHash: read, reason });
  return heard(cli, client, { deployment, after: before.version, by, options });
}

/** A beginning stands for the plan that it fits; any other hash goes to the server as it is, which refuses it. */
function wholeHash(text: string, hash: PlanHash): PlanHash {
  const given = text.toLowerCase();
  if (!/^[0-9a-f]{12,64}$/.test(given))
    throw new EdgeError('usage_invalid', `"${text}" is no hash of a plan`, {
      hint: 'Give its 64 hex digits, or at least the first 12.',
    });
  return hash.startsWith(given) ? hash : planHash(given.padEnd(64, '0'));
}

type Hearing = {
  readonly deployment: DeploymentId;
  readonly after: number;
  readonly by: string;
  readonly options: Options;
};

/** Waits until the deployment has heard it, and says where it stands then; 1 where it was refused after all. */
async function heard(cli: Cli, client: EdgeClient, hearing: Hearing): Promise<number> {
  const { deployment, options } = hearing;
  if (options.detach) {
    cli.answer({ deployment }, () => [`Said to ${deployment}. Look with \`edge status ${deployment}\`.`]);
    return 0;
  }
  const refusal = await refusalOf(client, hearing);
  const { deployment: row, view } = await client.deployment({ deployment });
  const watched: Watched = { row, view, expected: null, output: [], notice: null };
  cli.answer({ deployment: row }, () => (refusal === null ? standing(watched) : [refusal]));
  return refusal === null ? 0 : 1;
}

/** `null`: it was taken. What was asked was right when it was asked, and may not be any more when it is its turn. */
async function refusalOf(client: EdgeClient, { deployment, after, by }: Hearing): Promise<string | null> {
  for await (const item of client.watchDeployment({ deployment, after })) {
    if (item.kind !== 'event' || !('by' in item.event) || item.event.by !== by) continue;
    const { event } = item;
    if (event.kind === 'deployment.approved' || event.kind === 'deployment.promoted') return null;
    if (event.kind === 'command.refused' && (event.command === 'approve' || event.command === 'promote'))
      return `${deployment} did not take it: ${event.why}.`;
  }
  return `${deployment} ended before it could take it.`;
}

function standing(watched: Watched): readonly string[] {
  const { id } = watched.row;
  const { approvals, status, reason } = watched.view.overall;
  const by = (approvals?.given ?? []).map((one) => one.by).join(', ');
  const approved = by === '' ? id : `${id} is approved by ${by}, and`;
  if (approvals?.waits) return [`${approved} ${reason}.`, ...waitingLines(watched).map((way) => `  ${way}`)];
  return status === 'running' || status === 'pending'
    ? [`${approved} is under way. Follow it with \`edge watch ${id}\`.`]
    : [`${approved} ended ${status}.`];
}
