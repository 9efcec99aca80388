import type { z } from 'zod';
import { didYouMean } from '../lib/nearest.ts';
import { fieldsOf } from './json-schema.ts';
import type { Kind } from './kinds.ts';
import { pathText } from './problem.ts';
import type { Path } from './yaml-text.ts';

/** What the schema has against a value. `key`: the place is that of a key, not of a value. */
export type Issue = {
  readonly path: Path;
  readonly key?: string;
  readonly message: string;
  readonly hint?: string;
};

type ZodIssue = z.core.$ZodIssue;

/** What is written: its name in sentences, and the fields that an object at a path of it may have. */
type Written = { readonly noun: string; readonly fieldsAt: (path: Path) => readonly string[] };

/** The issues of the schema library as sentences. */
export function issuesOf(kind: Kind, found: readonly ZodIssue[]): readonly Issue[] {
  const written = { noun: `a ${kind}`, fieldsAt: fieldsOf(kind) };
  return found.flatMap((issue) => sentences(written, issue, []));
}

/** The same of targets that stand in no document; what it returns is for many of them. */
export function issuesOfTargets(): (found: readonly ZodIssue[]) => readonly Issue[] {
  const fields = fieldsOf('project-environment');
  const written = { noun: 'a target', fieldsAt: (path: Path) => fields(['targets', 0, ...path]) };
  return (found) => found.flatMap((issue) => sentences(written, issue, []));
}

/** So many unknown fields of one value are told. */
const MOST_KEYS = 50;

function sentences(written: Written, issue: ZodIssue, base: Path): readonly Issue[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, MOST_KEYS).map((key) => unknownField(written, path, key));
  if (issue.code === 'invalid_union') {
    const branch = nearestBranch(issue.errors);
    if (branch) return branch.flatMap((inner) => sentences(written, inner, path));
    const variants = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    if (variants.length > 0) return [said(path, `must be one of ${variants.join(', ')}`)];
  }
  if (issue.code === 'invalid_type' && issue.input === undefined && issue.message.includes('undefined')) {
    return [said(path, 'is missing')];
  }
  return [said(path, boundOf(issue) ?? issue.message)];
}

/** A bound in words, where the schema has none of its own. */
function boundOf(issue: ZodIssue): string | undefined {
  if (issue.code === 'too_small' && issue.message.startsWith('Too small')) {
    return issue.origin === 'number' || issue.origin === 'int'
      ? `must be at least ${issue.minimum}`
      : `needs at least ${issue.minimum} of them`;
  }
  if (issue.code === 'too_big' && issue.message.startsWith('Too big')) {
    return issue.origin === 'number' || issue.origin === 'int'
      ? `must be at most ${issue.maximum}`
      : `may have at most ${issue.maximum} of them`;
  }
  return undefined;
}

/** What a value is to be (`a path of a file`), not a sentence of its own (`a name has …`). */
const NOUN = /^(?!an? \w+ (has|is) )(an? |\d+ (to \d+ )?lower-case)/;

const said = (path: Path, what: string): Issue => {
  const bare = what.replace(/^Invalid (input|option|string): /, '');
  const text = NOUN.test(bare) ? `must be ${bare}` : bare;
  return { path, message: path.length === 0 ? text : `${pathText(path)}: ${text}` };
};

/** Of the variants of a union the one that was meant: its shape is right, and something inside is not. */
function nearestBranch(branches: readonly (readonly ZodIssue[])[]): readonly ZodIssue[] | undefined {
  const inside = branches.filter((issues) =>
    issues.every((issue) => issue.path.length > 0 || OF_WHAT_IS_INSIDE.has(issue.code) || isCount(issue)),
  );
  return inside.length === 1 ? inside[0] : undefined;
}

const OF_WHAT_IS_INSIDE: ReadonlySet<string> = new Set(['unrecognized_keys', 'custom']);
const isCount = (issue: ZodIssue): boolean =>
  (issue.code === 'too_small' || issue.code === 'too_big') && issue.origin === 'array';

function unknownField(written: Written, path: Path, key: string): Issue {
  const where = path.length === 0 ? written.noun : pathText(path);
  const hint = didYouMean(key, written.fieldsAt(path));
  return { path, key, message: `${where} has no field "${key}"`, hint };
}
