// docs/reference/errors.md: the error catalogue and the exit statuses of the CLI.
import { CATALOGUE, type CatalogueEntry, STEP_FAILURES, type StepFailure } from '../../src/domain/errors.ts';
import type { Piece } from './piece.ts';

const HEAD = `# Errors and exit statuses

Every error has a code, says what is wrong and where, and what to do. The API answers with the HTTP status and the body
\`{"error": {"code", "message", "hint", "where"?, "also"?}}\`; the CLI prints the same (as JSON with \`--json\`) and ends with the
exit status. 0 is success; 1 is a deployment that ended \`failed\` or \`aborted\`, or that waits for a decision, and drift that \`edge drift\` has
seen; 7 is also a look of it that saw none, and could not look everywhere; 130 is an interrupted watch. A step of a
deployment fails with one of these codes too, or with one of the second table; its record
(\`GET /v1/deployments/:deployment/events\`) has it.

This page is made from \`src/domain/errors.ts\`.
`;

const STEPS = `
## Failures of a step

No request is answered with these. They stand in the record of a deployment; a command that follows it ends with 1.
`;

export async function errors(): Promise<readonly Piece[]> {
  const rows = Object.entries(CATALOGUE).map(([code, entry]) => row(code, entry));
  const table = [
    '| code | meaning | what to do | HTTP | exit | who can mend it | try again |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ];
  const steps = [
    '| code | meaning | what to do | who can mend it |',
    '|---|---|---|---|',
    ...Object.entries(STEP_FAILURES).map(([code, failure]) => stepRow(code, failure)),
  ];
  const content = `${HEAD}\n${table.join('\n')}\n${STEPS}\n${steps.join('\n')}\n`;
  return [{ path: 'docs/reference/errors.md', content }];
}

function row(code: string, { title, hint, http, exit, fault, retryable }: CatalogueEntry): string {
  return `| \`${code}\` | ${title} | ${hint} | ${http} | ${exit} | ${fault} | ${retryable ? 'yes' : 'no'} |`;
}

function stepRow(code: string, { title, hint, fault }: StepFailure): string {
  return `| \`${code}\` | ${title} | ${hint} | ${fault} |`;
}
