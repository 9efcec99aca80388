// docs/reference/promises.md: what Edge promises of a deployment, and the end-to-end tests that show it.
import { PROMISES } from '../../test/promises.ts';
import { features, type Shown } from '../features/shown.ts';
import type { Piece } from './piece.ts';

const HEAD = `# Promises

What Edge promises of a deployment, and the files with the end-to-end tests that show it: against real OpenSSH, HAProxy and
nginx, and against the lab's double of an F5. The titles of the tests bear the words between « and »; \`npm run features\` prints them
all, and fails where a promise has no test on one of its balancers.

This page is made from \`test/promises.ts\` and the titles of the tests.
`;

export async function promises(root: string): Promise<readonly Piece[]> {
  const { promises: shown } = await features(root, PROMISES);
  const areas = [...Map.groupBy(shown, ({ area }) => area)];
  const content = [HEAD, ...areas.map(([area, rows]) => section(area, rows))].join('\n');
  return [{ path: 'docs/reference/promises.md', content }];
}

function section(area: string, rows: readonly Shown[]): string {
  const lines = rows.map((promise) => `| ${promise.words} | ${placesOf(promise)} |`);
  return [`## ${area}`, '', '| promise | shown by |', '|---|---|', ...lines, ''].join('\n');
}

/** Each file once, with the balancers that its tests are about. */
function placesOf({ tests, on: wanted = [] }: Shown): string {
  const files = [...Map.groupBy(tests, ({ file }) => file)];
  const place = ([file, ofFile]: (typeof files)[number]): string => {
    const on = wanted.filter((balancer) => ofFile.some((test) => test.on.includes(balancer)));
    const link = `[${file.replace(/^.*\//, '').replace(/\.test\.ts$/, '')}](../../${file})`;
    return on.length === 0 ? link : `${link} (${on.join(', ')})`;
  };
  return files.map(place).join(', ');
}
