// docs/reference/errors.md: the error catalogue and the exit statuses of the CLI.
import { CATALOGUE, type CatalogueEntry } from '../../src/domain/errors.ts';
import type { Piece } from './piece.ts';

const HEAD = `# Errors and exit statuses

Every error has a code, says what is wrong and where, and what to do. The API answers with the HTTP status and the body
\`{"error": {"code", "message", "hint", "where"?, "also"?}}\`; the CLI prints the same (as JSON with \`--json\`) and ends with the
exit status. 0 is success; 1 is a deployment that ended \`failed\` or \`aborted\`; 130 is an interrupted watch.

This page is made from \`src/domain/errors.ts\`.
`;

export async function errors(): Promise<readonly Piece[]> {
  const rows = Object.entries(CATALOGUE).map(([code, entry]) => row(code, entry));
  const table = [
    '| code | meaning | what to do | HTTP | exit | who can mend it | try again |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ];
  return [{ path: 'docs/reference/errors.md', content: `${HEAD}\n${table.join('\n')}\n` }];
}

function row(code: string, { title, hint, http, exit, fault, retryable }: CatalogueEntry): string {
  return `| \`${code}\` | ${title} | ${hint} | ${http} | ${exit} | ${fault} | ${retryable ? 'yes' : 'no'} |`;
}
