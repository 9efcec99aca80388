import type { Command, CommandBody } from '../../domain/command.ts';

/** What people ask of a deployment that runs. */
export type PersonsCommand = Exclude<CommandBody, { kind: 'report' | 'deadline' | 'wake' }>;
export type Asked = PersonsCommand & Pick<Command, 'id' | 'by'>;

/**
 * What speaks against a command where the log stands. `isFinal`: it will whatever happens next. `isUnsure`: it came at about the
 * same moment, so that the command may be obeyed or refused.
 */
export type Refusal = { readonly why: string; readonly isFinal: boolean; readonly isUnsure?: true };

export const final = (why: string): Refusal => ({ why, isFinal: true });
export const forNow = (why: string): Refusal => ({ why, isFinal: false });
