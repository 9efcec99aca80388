import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { scriptRun } from '../../src/actions/script-run.ts';
import type { Program } from '../../src/adapters/memory/behaviour.ts';
import { supervisorScript } from '../../src/adapters/ssh/supervisor-script.ts';
import type { TypedValue, ValueType } from '../../src/domain/typed-value.ts';
import { sha256 } from '../../src/lib/hash.ts';
import { hostileText } from '../support/hostile-text.ts';
import { HOST, Trial } from '../support/trial.ts';
import type { RealHost } from './real-host.ts';
import { type Fuzzing, lots } from './samples.ts';

/** Of one shell. */
const AT_ONCE = 128;
const CONTENT = '#!/bin/sh\n';

const TYPES: readonly ValueType[] = [
  { type: 'string', pattern: '[^]*' },
  { type: 'string', pattern: '[^]*' },
  { type: 'string', pattern: '.*' },
  { type: 'string', pattern: '[a-z][a-z0-9_-]{0,30}' },
  { type: 'integer', min: -9, max: 9_999 },
  { type: 'boolean' },
  { type: 'enum', values: ['a', '$(touch ran)', '-rf'] },
];

type Given = { readonly type: ValueType; readonly value: TypedValue };
const given: fc.Arbitrary<Given> = fc.record({
  type: fc.constantFrom(...TYPES),
  value: fc.oneof(
    { arbitrary: hostileText, weight: 8 },
    fc.tuple(fc.constantFrom('web', 'a-1', ''), hostileText).map(([start, rest]) => start + rest),
    fc.constantFrom<TypedValue>('a', '$(touch ran)', '-rf', 'web-1', '-', '-e', true, false),
    fc.maxSafeInteger(),
    fc.integer({ min: -20, max: 10_010 }),
    fc
      .tuple(hostileText, fc.integer({ min: 1_000, max: 1_030 }))
      .map(([text, length]) => text.padEnd(length, 'x')),
  ),
});

/**
 * Values of parameters of scripts: each through the action that runs a script, and what that sends, in the environment of a script under
 * the supervisor that hosts run.
 */
export async function fuzzParameters(host: RealHost, fuzzing: Fuzzing): Promise<void> {
  for (const lot of lots('parameter', given, fuzzing)) {
    const sent: string[] = [];
    const program: Program = ({ env }) => {
      sent.push(env.EDGE_PARAM_P ?? 'nothing');
      return { durationMs: 0, code: 0 };
    };
    for (const one of lot) await giveTo(new Trial({ program }), one, fuzzing);
    for (let from = 0; from < sent.length; from += AT_ONCE)
      await runWith(host, sent.slice(from, from + AT_ONCE), fuzzing);
  }
}

async function giveTo(trial: Trial, { type, value }: Given, { tally }: Fuzzing): Promise<void> {
  const script = { name: 'fuzz', sha256: sha256(CONTENT), interpreter: ['/bin/sh'], outputs: {} };
  const inputs = { host: { ...HOST }, content: CONTENT, parameters: { p: value } };
  try {
    const outcome = await trial.attempt(scriptRun, {
      ...inputs,
      script: { ...script, types: { p: { ...type } } },
    });
    if (outcome.kind === 'done') tally.accept('parameter');
    else tally.refuse('parameter', value, outcome.kind === 'failed' ? outcome.error.code : undefined);
  } catch (thrown) {
    tally.thrown('parameter', value, thrown);
  }
}

let tasks = 0;

async function runWith(host: RealHost, values: readonly string[], { tally }: Fuzzing): Promise<void> {
  tasks += 1;
  const id = (0xabc00001 + tasks * 16).toString(16);
  const stateFolder = join(host.folder, 'state');
  mkdirSync(stateFolder, { recursive: true });
  const names = values.map((_, index) => `EDGE_PARAM_P${index}`);
  const content = `#!/bin/sh\nprintf '%s\\0' ${names.map((name) => `"$${name}"`).join(' ')}\n`;
  const input = supervisorScript(
    { id, stateFolder, bootId: 'b', headBytes: 10_000_000, tailBytes: 10_000_000 },
    {
      ...{ argv: ['/bin/sh'], cwd: host.work, script: { content, sha256: sha256(content) } },
      env: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])),
    },
  );
  const { status, stderr } = await host.sh(['-s'], { input });
  if (status !== 0)
    tally.fault('crash', 'parameter', values, `the supervisor ended with ${status}: ${stderr}`);
  const out = join(stateFolder, `${id}.out`);
  const arrived = (existsSync(out) ? readFileSync(out, 'utf8') : '').split('\0').slice(0, -1);
  for (const [index, value] of values.entries())
    if (arrived[index] !== value)
      tally.fault('altered', 'parameter', value, `it is ${JSON.stringify(arrived[index])}`);
  for (const path of host.harm()) tally.fault('side effect', 'parameter', values, path);
  tally.shell.parameter += values.length;
  rmSync(stateFolder, { recursive: true });
}
