import assert from 'node:assert/strict';
import { fillQuery, type QueryLanguage } from '../../src/domain/metric-query.ts';
import type { MetricsAnswer } from '../../src/domain/metrics.ts';

/** Names of servers that nobody has, each of which would find other servers if it were read as a part of the query. */
const WIDENING_NAMES: readonly string[] = [
  ...[
    '*',
    '?*',
    '.*',
    'web-.*',
    'web-?',
    'web-[0-9]*',
    '{web-1,web-2}',
    '[^x]+',
    '^',
    '$',
    '~.*',
    '~',
    '=~.*',
  ],
  ...[
    `x' OR 1 = 1 --`,
    `x\\' OR 1 = 1 --`,
    `x' OR '1' = '1`,
    `x' OR "server" =~ /.*/ OR 'a' = '`,
    '/ OR 1 = 1 --',
  ],
  ...[
    `x|.*`,
    `x$/ OR "server" =~ /.*`,
    `x$\\/ OR "server" =~ /.*`,
    `'; SELECT "value" FROM "errors`,
    '$from',
    '\\',
  ],
  ...[`x', 'server=~.*`, `x", "server=~.*`, `x') | seriesByTag('name=errors`, `x"),seriesByTag("name=errors`],
  ...[
    `x\\', 'server=~.*`,
    'x;server=web-1',
    'x:server=web-1',
    'a,b',
    '(',
    ')',
    'web-1\n',
    'web-1\r',
    'web-1\u0000',
    '',
  ],
  ...['x"}},{"match_all":{"boost":"1', 'x"}}],"should":[{"match_all":{}}],"must_not":[{"term":{"a":"', 'x\\'],
  ...['x OR *:*', '\\u002a', '/.*/', '[* TO *]', 'x\\" OR *', '\u2028*'],
];

export type WideningTry = {
  readonly language: QueryLanguage;
  /** With `{{server}}` in each place where a name may stand. */
  readonly templates: readonly string[];
  readonly ask: (text: string) => Promise<MetricsAnswer>;
};

/** Asks for each: it is refused before, or finds nothing. Fails too where hardly any is asked. */
export async function requireNoWidening({ language, templates, ask }: WideningTry): Promise<void> {
  const tries = templates.flatMap((template) =>
    WIDENING_NAMES.map((server) => ({ server, filled: fillQuery(template, { server }, language) })),
  );
  const asked = tries.flatMap(({ server, filled }) =>
    filled.kind === 'filled' ? [{ server, text: filled.text }] : [],
  );
  assert.ok(asked.length * 3 > tries.length, `${asked.length} of ${tries.length}`);
  for (const { server, text } of asked)
    assert.equal((await ask(text)).kind, 'empty', `${JSON.stringify(server)} in ${text}`);
}
