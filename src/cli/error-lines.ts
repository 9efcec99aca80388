import type { ErrorBody, Where } from '../domain/errors.ts';
import { inert } from '../lib/inert-text.ts';

/** An error for people: the code, what is wrong, where, and what to do; then those of the same kind. */
export function errorLines(body: ErrorBody): readonly string[] {
  const { code, message, hint, also = [] } = body;
  const first = [`error ${code}: ${inert(message)}`, ...placeLines(body.where), `  ${inert(hint)}`];
  const others = also.flatMap((other) => [
    `also ${other.code}: ${inert(other.message)}`,
    ...placeLines(other.where),
    ...(other.hint === hint ? [] : [`  ${inert(other.hint)}`]),
  ]);
  return [...first, ...others];
}

function placeLines(where: Where | undefined): readonly string[] {
  if (!where) return [];
  const { file, line, column, path, target, member } = where;
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  const parts = [
    ...(place === '' ? [] : [place]),
    ...(path === undefined ? [] : [`(${path})`]),
    ...(target === undefined ? [] : [`target ${target}`]),
    ...(member === undefined ? [] : [`member ${member}`]),
  ];
  return parts.length === 0 ? [] : [`  at ${inert(parts.join(' '))}`];
}
