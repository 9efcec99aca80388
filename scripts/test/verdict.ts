// Reads node:test's events: what one finished entry means, and what its error says.
import type { EventData } from 'node:test';
import { inspect } from 'node:util';

type Finished = EventData.TestPass | EventData.TestFail;

export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'skipped'; readonly reason: string }
  /** A suite, or a test that failed only through its subtests: what counts is inside. */
  | { readonly kind: 'container' };

export function verdictOf(data: Finished, passed: boolean): Verdict {
  if (data.skip || data.todo) return { kind: 'skipped', reason: reasonOf(data) };
  if (!passed) return failureOf(data);
  // A file that declares no test is reported as one passed test that bears the file's name.
  if (isWholeFile(data)) return { kind: 'failed', why: 'this file declares no test' };
  return { kind: data.details.type === 'suite' ? 'container' : 'passed' };
}

export const isWholeFile = ({ name, file, nesting }: Finished): boolean => nesting === 0 && name === file;

/**
 * Under `isolation: none` an error that comes after its test has ended fails nothing: the runner only mentions it in a
 * diagnostic.
 */
export const isLateError = (message: string): boolean =>
  message.includes('generated asynchronous activity after the test ended');

function reasonOf({ skip, todo }: Finished): string {
  const reason = skip || todo;
  if (typeof reason === 'string' && reason !== '') return reason;
  return todo ? 'to do' : 'no reason given';
}

function failureOf({ details }: Finished): Verdict {
  const error = 'error' in details ? details.error : undefined;
  if (error && 'failureType' in error && error.failureType === 'subtestsFailed') return { kind: 'container' };
  return { kind: 'failed', why: describeError(error?.cause ?? error) };
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : inspect(error);
  const isAssertion = 'code' in error && error.code === 'ERR_ASSERTION';
  return isAssertion ? (error.stack ?? error.message) : inspect(error);
}
