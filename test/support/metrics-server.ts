import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { until } from './until.ts';

export type MetricsServerSettings = {
  /** In words, for what is said where it does not start. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: NodeJS.ProcessEnv;
  /** Whether it answers by now. */
  readonly isReady: () => Promise<boolean>;
};

/** A real server of metrics as a process, which starts, dies and stands still as a test says. */
export type MetricsServer = {
  start(): Promise<void>;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
  /** It stands still: its port takes connections, and nothing answers. */
  freeze(): void;
  /** It serves again, whatever was done to it. */
  revive(): Promise<void>;
};

export function metricsServer({ name, command, env, isReady }: MetricsServerSettings): MetricsServer {
  let child: ChildProcess | undefined;
  const [program, ...words] = command;
  const kill = async (): Promise<void> => {
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    child = undefined;
  };
  const start = async (): Promise<void> => {
    let log = '';
    const started = spawn(program, words, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    for (const stream of [started.stdout, started.stderr])
      stream.on('data', (data) => {
        log = `${log}${data}`.slice(-4_000);
      });
    const answers = async () => {
      if (started.exitCode !== null) throw new Error(`${name} ended: ${log}`);
      return isReady();
    };
    await until(`${name} answers`, answers, 90_000);
  };
  const revive = async (): Promise<void> => {
    if (child) child.kill('SIGCONT');
    else await start();
  };
  return { start, kill, revive, freeze: () => void child?.kill('SIGSTOP') };
}

/** Whether an address answers 200 to a GET, or another status. */
export async function answers(url: string, status = 200): Promise<boolean> {
  const answer = await fetch(url).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.status === status;
}
