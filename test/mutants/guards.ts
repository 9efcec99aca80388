import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { projectRoot } from '../../scripts/project.ts';

/** Where `decide` lives, with what it asks before it says yes. */
const GUARDED_FILES = [
  'src/engine/decide.ts',
  'src/engine/decide-operator.ts',
  'src/engine/approvals.ts',
  'src/engine/decide-report.ts',
  'src/engine/resolve-task.ts',
  'src/engine/capacity.ts',
  'src/engine/budget.ts',
  'src/engine/running.ts',
  'src/engine/advance.ts',
] as const;

/** These only find words for people: whatever is deleted in them, the same happens. */
export const ONLY_WORDS: ReadonlySet<string> = new Set(['whyRefused', 'whyFailed']);

/** A condition that can be deleted, and the text that stands in its place then. */
export type Guard = {
  /** File, line and what is deleted: `decide.ts:26 decide: if (isTerminal(state.status)) return [];`. */
  readonly name: string;
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly to: string;
};

export function withoutGuard(source: string, { start, end, to }: Guard): string {
  return source.slice(0, start) + to + source.slice(end);
}

/** Every guard of `decide`, each to be deleted by itself. */
export function findGuards(): readonly Guard[] {
  return GUARDED_FILES.flatMap((file) => guardsOf(file, readFileSync(join(projectRoot, file), 'utf8')));
}

/**
 * In a source: each `if` without `else` (one that leaves is never taken then, any other always), each operand of `&&` and
 * `||`, and each choice between something and nothing.
 */
export function guardsOf(file: string, source: string): readonly Guard[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const found: Guard[] = [];
  const visit = (node: ts.Node, within: string): void => {
    const name = functionName(node) ?? within;
    if (ONLY_WORDS.has(name)) return;
    for (const { of, what, to } of deletions(node)) {
      const start = of.getStart(tree);
      const { line } = tree.getLineAndCharacterOfPosition(start);
      const short = file.slice(file.lastIndexOf('/') + 1);
      found.push({ name: `${short}:${line + 1} ${name}: ${what}`, file, start, end: of.getEnd(), to });
    }
    ts.forEachChild(node, (child) => visit(child, name));
  };
  visit(tree, 'module');
  return found;
}

function functionName(node: ts.Node): string | undefined {
  if (ts.isFunctionDeclaration(node)) return node.name?.text;
  if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name)) return undefined;
  return node.initializer && ts.isArrowFunction(node.initializer) ? node.name.text : undefined;
}

type Deletion = { readonly of: ts.Node; readonly what: string; readonly to: string };

function deletions(node: ts.Node): readonly Deletion[] {
  if (ts.isIfStatement(node) && !node.elseStatement) return [withoutIf(node)];
  if (ts.isBinaryExpression(node) && isLogical(node)) return withoutOperands(node);
  if (ts.isConditionalExpression(node)) return withoutChoice(node);
  return [];
}

/** The condition is decided instead of the statement cut out, so that whatever is around it still parses. */
function withoutIf({ expression, thenStatement }: ts.IfStatement): Deletion {
  const what = shortened(`if (${expression.getText()}) ${thenStatement.getText()}`);
  return { of: expression, what, to: leaves(thenStatement) ? 'false' : 'true' };
}

function leaves(statement: ts.Statement): boolean {
  if (ts.isBlock(statement)) {
    const last = statement.statements.at(-1);
    return last !== undefined && leaves(last);
  }
  return (
    ts.isReturnStatement(statement) || ts.isThrowStatement(statement) || ts.isContinueStatement(statement)
  );
}

const LOGICAL: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
]);
const isLogical = ({ operatorToken }: ts.BinaryExpression): boolean => LOGICAL.has(operatorToken.kind);

/** `a && b && c` is one chain of three: taken at its top, one operand left out at a time. */
function withoutOperands(node: ts.BinaryExpression): readonly Deletion[] {
  const { parent, operatorToken } = node;
  if (ts.isBinaryExpression(parent) && parent.operatorToken.kind === operatorToken.kind) return [];
  const operands = operandsOf(node, operatorToken.kind);
  return operands.map((operand, index) => ({
    of: node,
    what: shortened(`without ${operand.getText()}`),
    to: operands
      .toSpliced(index, 1)
      .map((other) => other.getText())
      .join(` ${operatorToken.getText()} `),
  }));
}

function operandsOf(node: ts.Expression, kind: ts.SyntaxKind): readonly ts.Expression[] {
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== kind) return [node];
  return [...operandsOf(node.left, kind), ...operandsOf(node.right, kind)];
}

function withoutChoice(node: ts.ConditionalExpression): readonly Deletion[] {
  const { condition, whenTrue, whenFalse } = node;
  const kept = isNothing(whenFalse) ? whenTrue : isNothing(whenTrue) ? whenFalse : undefined;
  if (!kept) return [];
  return [
    {
      of: node,
      what: shortened(`always ${kept.getText()}, not if ${condition.getText()}`),
      to: kept.getText(),
    },
  ];
}

function isNothing(node: ts.Expression): boolean {
  if (ts.isArrayLiteralExpression(node)) return node.elements.length === 0;
  return node.kind === ts.SyntaxKind.NullKeyword || (ts.isIdentifier(node) && node.text === 'undefined');
}

const LONGEST = 90;

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`;
}
