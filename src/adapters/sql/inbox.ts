import type { Command, TaskReport } from '../../domain/command.ts';
import { type CommandId, commandId, type WorkerId } from '../../domain/ids.ts';
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

/** No command has this id, so that a row is only ever dealt with as a whole. */
export const reportsRowId = ([first]: readonly EndedReport[]): CommandId =>
  commandId(`reports/${first?.task}/${first?.epoch}`);

export const commandsOf = (body: InboxBody): readonly Command[] =>
  body.kind === 'reports' ? body.reports.map((report) => toCommand(body.worker, report)) : [body];

const toCommand = (worker: WorkerId, report: EndedReport): Command => ({
  ...report,
  id: commandId(`report/${report.task}/${report.epoch}`),
  by: `worker:${worker}`,
  kind: 'report',
  worker,
});
