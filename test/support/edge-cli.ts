import { setTimeout as delay } from 'node:timers/promises';
import { type CliResult, type CliRun, type CliRunOptions, cli, startCli } from './cli-process.ts';
import type { EdgeApi } from './edge-api.ts';

type Outcome = Parameters<EdgeApi['work']>[0];

/** Command lines against a whole Edge in this process. */
export function edgeCli(edge: EdgeApi, defaults: CliRunOptions = {}) {
  const settings = { server: edge.url, token: edge.adminToken };
  const options = { settings, folder: edge.folder, now: () => edge.time.now, ...defaults };
  return {
    /** A command that needs no work to be done. */
    run: (...argv: readonly string[]): Promise<CliResult> => cli(argv, options),
    begin: (...argv: readonly string[]): CliRun => startCli(argv, options),
    /** A command that ends when the work is done. */
    working: (argv: readonly string[], outcome?: Outcome, more: CliRunOptions = {}): Promise<CliResult> =>
      workUntilEnd(edge, startCli(argv, { ...options, ...more }), outcome),
    finish: (run: CliRun, outcome?: Outcome): Promise<CliResult> => workUntilEnd(edge, run, outcome),
  };
}

async function workUntilEnd(edge: EdgeApi, run: CliRun, outcome?: Outcome): Promise<CliResult> {
  let status: number | undefined;
  const ended = run.status.then((given) => {
    status = given;
  });
  while (status === undefined) {
    await edge.work(outcome);
    await Promise.race([ended, delay(5)]);
  }
  return { status, stdout: run.stdout(), stderr: run.stderr() };
}

/** Every health check of the first deployment that comes to it fails; a rollback after it goes well. */
export function unhealthy(): NonNullable<Outcome> {
  let first: string | undefined;
  return ({ step, deployment }) => {
    if (step !== 'verify') return undefined;
    first ??= deployment;
    const error = { code: 'health_failed', message: 'HTTP 500', cause: 'health' } as const;
    return deployment === first ? { kind: 'failed', error, retryable: false } : undefined;
  };
}

/** The service of one target does not start, and the deployment is paused. */
export function stuckAt(name: string): NonNullable<Outcome> {
  const error = { code: 'command_failed', message: 'bin/start ended with 1', cause: 'command' } as const;
  return ({ step, target }) =>
    step === 'start' && target === name ? { kind: 'failed', error, retryable: false } : undefined;
}
