import { type Command, Option } from 'commander';
import type { DeploymentRow } from '../../api/contract.ts';
import { PLAN_VERBS, type PlanVerb } from '../../domain/plan.ts';
import { counted, dateAndTime, table, took, whatOf } from '../../words/format.ts';
import { type Choose, newCommand, wholeNumber } from '../command.ts';

const USUAL_LIMIT = 20;

type Options = { readonly verb?: PlanVerb; readonly limit?: number };

export function addHistory(program: Command, choose: Choose): void {
  newCommand(program, 'history [project] [environment]', 'Lists deployments, the newest first.')
    .addOption(
      new Option(
        '--verb <verb>',
        'only those of this verb; looks at targets are left out if not given',
      ).choices(PLAN_VERBS),
    )
    .option('-n, --limit <count>', `at most so many; ${USUAL_LIMIT} if not given`, wholeNumber)
    .action((project: string | undefined, environment: string | undefined, options: Options) => {
      const place = {
        ...(project !== undefined && { project }),
        ...(environment !== undefined && { environment }),
      };
      choose(async (cli) => {
        const client = await cli.client();
        const { verb, limit = USUAL_LIMIT } = options;
        // Those of a schedule would be nearly all there is.
        const which = verb === undefined ? ({ besides: 'drift' } as const) : { verb };
        const found = await client.deployments({ ...place, ...which, limit });
        cli.answer(found, () => historyLines(found.deployments, cli.environment.now()));
        return 0;
      });
    });
}

export function historyLines(rows: readonly DeploymentRow[], now: number): readonly string[] {
  if (rows.length === 0) return ['There is no deployment yet.'];
  const head = ['deployment', 'created', 'where', 'what', 'status', 'took', 'by', 'because of'];
  return table(
    head,
    rows.map((row) => cellsOf(row, now)),
  );
}

function cellsOf(row: DeploymentRow, now: number): readonly string[] {
  const { id, project, environment, exceptions, startedAt, endedAt, by, causedBy } = row;
  const missed = exceptions > 0 && row.status === 'succeeded';
  const status = missed ? `${row.status}, ${counted(exceptions, 'exception')}` : waitsOrStatus(row);
  const time = startedAt === null ? '' : took((endedAt ?? now) - startedAt);
  return [
    id,
    dateAndTime(row.createdAt),
    `${project} ${environment}`,
    whatOf(row),
    status,
    time,
    by,
    causedBy ?? '',
  ];
}

/** One that has not begun says what it waits for. */
const waitsOrStatus = ({ status, reason }: DeploymentRow): string =>
  status === 'pending' && reason.startsWith('waits for ') ? `${status}, ${reason}` : status;
