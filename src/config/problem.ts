import { CATALOGUE, EdgeError, type ErrorBody, type ErrorCode, type Where } from '../domain/errors.ts';
import type { Path } from './yaml-text.ts';

export type Problem = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly where: Where;
  readonly hint?: string | undefined;
};

/** At most so many of them are told at once. */
const MAX_TOLD = 50;

/** One error for all problems, in the order in which they are found when reading. */
export function errorOf(problems: readonly Problem[]): EdgeError {
  const [first, ...rest] = problems;
  if (!first) return new EdgeError('internal', 'an error without a problem');
  const also = rest.slice(0, MAX_TOLD - 1).map(bodyOf);
  const { hint, ...body } = bodyOf(first);
  const more = problems.length - MAX_TOLD;
  const message = more > 0 ? `${body.message} (and ${problems.length - 1} more)` : body.message;
  return new EdgeError(first.code, message, { where: first.where, hint, also });
}

function bodyOf({ code, message, where, hint }: Problem): ErrorBody {
  return { code, message, hint: hint ?? CATALOGUE[code].hint, where };
}

/** A path as people write it: `targets[2].port`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, segment) => {
    if (typeof segment === 'number') return `${text}[${segment}]`;
    return text === '' ? String(segment) : `${text}.${String(segment)}`;
  }, '');
}
