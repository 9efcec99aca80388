import type { Answer } from '../api/contract.ts';
import { foldedNames } from '../lib/folded-names.ts';
import { counted } from '../words/format.ts';
import { type Line, line, span } from './view/line.ts';

/** What targets answered, equal answers together: who, how it ended, and what was written. */
export function answerLines(answers: readonly Answer[]): readonly Line[] {
  return answers.flatMap((answer) => [headOf(answer), ...outputOf(answer)]);
}

function headOf(answer: Answer): Line {
  const { status, targets } = answer;
  const tone = status === 'succeeded' ? 'good' : status === 'failed' ? 'bad' : 'warn';
  const count = targets.length > 1 ? ` (${targets.length})` : '';
  return [
    span(`${foldedNames(targets).join(', ')}${count}`, 'strong'),
    span(': '),
    span(endOf(answer), tone),
    span(answer.reason === '' ? '' : `, ${answer.reason}`),
  ];
}

const endOf = ({ status, exitStatus }: Answer): string =>
  exitStatus === null || status === 'succeeded' ? status : `${status} with exit status ${exitStatus}`;

function outputOf({ output, outputLength, cut }: Answer): readonly Line[] {
  const lines = output.replace(/\n$/, '').split('\n');
  const shown = output === '' ? [] : lines.map((text) => line(`  ${text}`));
  return cut
    ? [...shown, line(`  … ${outputLength} characters in all; \`edge logs\` has them`, 'dim')]
    : shown;
}

/** `3 targets, 2 succeeded, 1 failed`. */
export function sumOfAnswers(answers: readonly Answer[]): string {
  const total = answers.reduce((sum, { targets }) => sum + targets.length, 0);
  const byStatus = Map.groupBy(answers, ({ status }) => status);
  const parts = [...byStatus].map(
    ([status, of]) => `${of.reduce((sum, { targets }) => sum + targets.length, 0)} ${status}`,
  );
  return [counted(total, 'target'), ...parts].join(', ');
}
