import { asEdgeError, CATALOGUE } from '../domain/errors.ts';
import { inertJson } from '../lib/inert-text.ts';
import { Cli } from './context.ts';
import type { CliEnvironment } from './environment.ts';
import { errorLines } from './error-lines.ts';
import { understand } from './understand.ts';

/**
 * Runs one command line (without the program's own name) and resolves with the exit status. Never rejects: every error is
 * shown, to people on standard error, with `--json` as `{"error": …}` on standard output.
 */
export async function runCli(argv: readonly string[], environment: CliEnvironment): Promise<number> {
  try {
    const understood = understand(argv, environment.version);
    if (understood.kind === 'help') {
      environment.stdout.write(understood.text);
      return 0;
    }
    return await run(new Cli(environment, understood.options), understood.job);
  } catch (thrown) {
    return tell(thrown, wantsJson(argv), environment);
  }
}

async function run(cli: Cli, job: (cli: Cli) => Promise<number>): Promise<number> {
  try {
    return await Promise.race([job(cli), cli.interrupts.left]);
  } finally {
    await cli.close();
  }
}

function tell(thrown: unknown, json: boolean, { stdout, stderr }: CliEnvironment): number {
  const { body } = asEdgeError(thrown);
  if (json) stdout.write(`${inertJson({ error: body })}\n`);
  else stderr.write(`${errorLines(body).join('\n')}\n`);
  return CATALOGUE[body.code].exit;
}

/** Also of a line that is not understood. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? argv.length : end).includes('--json');
}
