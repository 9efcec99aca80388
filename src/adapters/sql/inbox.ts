import type { Command, TaskReport } from '../../domain/command.ts';
import { type CommandId, commandId, type TaskId, type WorkerId } from '../../domain/ids.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Report } from '../../ports/task-board.ts';

/** A report of a task that goes to the engine. */
export type EndedReport = Report & Pick<TaskReport, 'outcome'>;

/** What a worker reported of one deployment in one call: a row of the inbox, which costs as much as its text. */
export type Reported = {
  readonly kind: 'reports';
  readonly worker: WorkerId;
  readonly reports: readonly EndedReport[];
};

/** `inbox.body`. A report that is a command by itself was written by 0.1.0 or before. */
export type InboxBody = Command | Reported;

/** How a task is to wait, with nothing for the engine to decide. */
export type Wait = Extract<Outcome, { kind: 'wait' }>;

/** No command has this id, so that a row is only ever dealt with as a whole. */
export const reportsRowId = ([first]: readonly {
  readonly id: TaskId;
  readonly epoch: number;
}[]): CommandId => commandId(`reports/${first?.id}/${first?.epoch}`);

/** `Reported` as text, of reports that are texts already. */
export const reportedText = (worker: WorkerId, reports: readonly string[]): string =>
  `{"kind":"reports","worker":${JSON.stringify(worker)},"reports":[${reports.join(',')}]}`;

export const commandsOf = (body: InboxBody): readonly Command[] =>
  body.kind === 'reports' ? body.reports.map((report) => toCommand(body.worker, report)) : [body];

const toCommand = (worker: WorkerId, report: EndedReport): Command => ({
  ...report,
  id: commandId(`report/${report.task}/${report.epoch}`),
  by: `worker:${worker}`,
  kind: 'report',
  worker,
});
