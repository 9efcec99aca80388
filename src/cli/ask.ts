import { createInterface } from 'node:readline/promises';
import type { Cli } from './context.ts';

/** Whether a person is there to be asked. */
export const asksPeople = ({ environment, json }: Cli): boolean => environment.terminal.answers && !json;

/** Whether a person says yes. The end of standard input and Ctrl-C say no. */
export async function saysYes(cli: Cli, question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await answerTo(cli, `${question} [y/N] `)).trim());
}

/** The next line of standard input; empty at its end, and after Ctrl-C. */
async function answerTo({ environment, interrupts }: Cli, question: string): Promise<string> {
  environment.stderr.write(question);
  // It ended while another question was asked: no reader would hear of it again.
  if (environment.stdin.readableEnded) return '';
  const lines = createInterface({ input: environment.stdin });
  const stopListening = interrupts.listen(() => lines.close());
  try {
    for await (const answer of lines) return answer;
    return '';
  } finally {
    stopListening();
    lines.close();
  }
}
