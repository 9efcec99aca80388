import type { Command } from 'commander';
import type { EdgeClient } from '../../api/client.ts';
import type { Input, Output, ProjectEnvironmentStatus } from '../../api/contract.ts';
import { asEdgeError, EdgeError } from '../../domain/errors.ts';
import { counted, dateAndTime, moment, whatOf } from '../../words/format.ts';
import { type Choose, deploymentNamed, newCommand } from '../command.ts';
import type { Cli } from '../context.ts';
import { changesLines } from '../plan-lines.ts';
import { type Line, line, span } from '../view/line.ts';
import { screenLines } from '../view/screen.ts';
import { SIGNS } from '../view/symbols.ts';

export function addStatus(program: Command, choose: Choose): void {
  newCommand(
    program,
    'status [deployment-or-project] [environment]',
    'Shows one deployment, or what runs where, which deployment is active, and what is parked.',
  ).action((first: string | undefined, environment: string | undefined) => {
    choose(async (cli) => {
      const client = await cli.client();
      if (first === undefined) return places(cli, client, {});
      if (environment !== undefined) return places(cli, client, { project: first, environment });
      try {
        const deployment = deploymentNamed(first);
        return oneDeployment(cli, {
          ...(await client.deployment({ deployment })),
          ...(await client.deploymentChanges({ deployment })),
        });
      } catch (thrown) {
        if (asEdgeError(thrown).code !== 'deployment_unknown') throw thrown;
        return projectOrNothing(cli, client, first);
      }
    });
  });
}

async function places(cli: Cli, client: EdgeClient, place: Input<'status'>): Promise<number> {
  const status = await client.status(place);
  cli.answer(status, () => statusLines(status.projectEnvironments));
  return 0;
}

async function projectOrNothing(cli: Cli, client: EdgeClient, name: string): Promise<number> {
  try {
    return await places(cli, client, { project: name });
  } catch (thrown) {
    const { code, body } = asEdgeError(thrown);
    if (code !== 'project_unknown') throw thrown;
    throw new EdgeError('deployment_unknown', `There is no deployment and no project "${name}"`, {
      hint: body.hint.startsWith('Did you mean')
        ? body.hint
        : 'Run `edge history`, or `edge status` for all.',
    });
  }
}

function oneDeployment(cli: Cli, found: Output<'deployment'> & Output<'deploymentChanges'>): number {
  const { now, terminal } = cli.environment;
  const size = { columns: terminal.redraws ? terminal.size().columns : 200, rows: Number.POSITIVE_INFINITY };
  cli.answer(found, () => [
    ...screenLines(
      { row: found.deployment, view: found.view, expected: null, output: [], notice: null },
      now(),
      size,
    ),
    ...waitLines(found, now()),
    ...spaced(changesLines(found.changes)),
  ]);
  return 0;
}

const spaced = (lines: readonly string[]): readonly Line[] =>
  lines.length === 0 ? [] : [line(''), ...lines.map((text) => line(text))];

/** What the deployment waits for, with the moment when it is looked at again. */
function waitLines({ waits: all, view }: Output<'deployment'>, now: number): readonly Line[] {
  // Of a pause, or of approvals, the screen above has told already.
  const isTold = view.overall.paused !== null || view.overall.approvals?.waits === true;
  const waits = all.filter(({ target }) => target !== null || !isTold);
  if (waits.length === 0) return [];
  const text = ({ target, step, why, until }: (typeof waits)[number]) => {
    const who = [target, step].filter((part) => part !== null).join(' ');
    return `  ${who === '' ? 'the deployment' : who}: ${why}${until === null ? '' : `; until ${moment(until, now)}`}`;
  };
  return [line(''), line('waits for', 'strong'), ...waits.map((wait) => line(text(wait), 'warn'))];
}

export function statusLines(places: readonly ProjectEnvironmentStatus[]): readonly Line[] {
  if (places.length === 0)
    return [line('Nothing is configured yet. `edge init` writes a sample, `edge apply -f` hands it in.')];
  return places.flatMap((place, index) => [...(index > 0 ? [line('')] : []), ...placeLines(place)]);
}

function placeLines({
  project,
  environment,
  targets,
  inventory,
  releases,
  active,
  last,
  parked,
}: ProjectEnvironmentStatus): readonly Line[] {
  const runs = releases.map(onTargets).join(', ');
  return [
    [span(`${project} → ${environment}`, 'strong'), span(`   ${targetsOf(targets, inventory)}`)],
    ...(runs === '' ? [] : [line(`  runs      ${runs}`)]),
    ...(active ? [[span('  active    '), ...rowSpans(active)]] : []),
    ...(last ? [[span('  last      '), ...rowSpans(last)]] : []),
    ...parked.map(({ target, deployment, reason, by }) =>
      line(`  parked    ${target}: ${reason} (${deployment}${by === null ? '' : `, by ${by}`})`, 'warn'),
    ),
    ...(parked.length > 0
      ? [line(`            bring back with \`edge return ${project} ${environment}\``, 'dim')]
      : []),
  ];
}

/** Of an inventory nothing is known but what it gave when it was read last. */
function targetsOf(targets: number, inventory: ProjectEnvironmentStatus['inventory']): string {
  if (!inventory) return counted(targets, 'target');
  const { origin, readAt } = inventory;
  if (readAt === null) return `targets from ${origin}, never read yet`;
  return `${counted(targets, 'target')} from ${origin}, read ${dateAndTime(readAt)}`;
}

function onTargets({ version, targets, unproven }: ProjectEnvironmentStatus['releases'][number]): string {
  const doubt = unproven === 0 ? '' : ` (unproven on ${unproven}: a deployment did not succeed there)`;
  return `${version ?? 'nothing of Edge yet'} on ${targets}${doubt}`;
}

function rowSpans(row: NonNullable<ProjectEnvironmentStatus['active']>): Line {
  const { symbol, tone } = SIGNS[row.status];
  const { counts } = row;
  const done = `${counts.succeeded + counts.failed + counts.skipped} of ${counts.total}`;
  const when = dateAndTime(row.endedAt ?? row.createdAt);
  const why = row.reason === '' ? '' : `: ${row.reason}`;
  return [
    span(`${row.id} ${whatOf(row)} `),
    span(`${symbol} ${row.status}`, tone),
    span(`, ${done}, ${when}, by ${row.by}${why}`),
  ];
}
