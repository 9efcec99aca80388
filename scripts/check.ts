// Runs every static check at once and prints one line for each; a check that fails shows its whole output.
import { spawn } from 'node:child_process';
import { projectRoot } from './project.ts';

interface Check {
  readonly name: string;
  /** A script of JavaScript or TypeScript and its arguments, run with this project's Node. */
  readonly command: readonly [string, ...string[]];
}

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
}

const biome = 'node_modules/@biomejs/biome/bin/biome';

const checks: readonly Check[] = [
  // Warnings are advice (sizes): `npm run format` shows them.
  { name: 'format and lint', command: [biome, 'check', '--diagnostic-level=error', '--max-diagnostics=100'] },
  { name: 'types', command: ['node_modules/typescript-native/bin/tsc'] },
  { name: 'types of web', command: ['node_modules/typescript-native/bin/tsc', '-p', 'web'] },
  { name: 'imports', command: ['scripts/imports.ts'] },
  { name: 'generated docs', command: ['scripts/docs.ts', '--check'] },
  { name: 'lock file', command: ['scripts/lock.ts'] },
];

/** Ends what hangs, and nothing that is slow on a busy machine. */
const timeoutMs = 600_000;

function run({ name, command }: Check): Promise<Outcome> {
  const begin = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, {
      cwd: projectRoot,
      timeout: timeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const parts: string[] = [];
    const finish = (passed: boolean) => {
      const seconds = (performance.now() - begin) / 1000;
      resolve({ name, passed, seconds, output: parts.join('').trim() });
    };
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => parts.push(text));
    child.on('error', (error) => parts.push(error.message));
    child.on('close', (code, signal) => {
      if (signal) parts.push(`\nended by ${signal}`);
      finish(code === 0);
    });
  });
}

function print({ name, passed, seconds, output }: Outcome): void {
  const line = `${name.padEnd(16)} ${seconds.toFixed(1).padStart(4)} s`;
  if (passed) console.log(`ok    ${line}`);
  else console.log(`FAIL  ${line}\n\n${output}\n`);
}

const outcomes = await Promise.all(
  checks.map(async (check) => {
    const outcome = await run(check);
    print(outcome);
    return outcome;
  }),
);
const failed = outcomes.filter(({ passed }) => !passed).length;
console.log(`${outcomes.length - failed} checks passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
