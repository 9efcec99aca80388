import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

/** A real moto, which plays the services of AWS; it keeps everything in its memory. */
export type Moto = {
  readonly url: string;
  /** `kill -9`, and all that it had is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
  /** It stands still: its port takes connections, and nothing answers. */
  freeze(): void;
  /** Lets it go on, started if it is not there, and empties it. */
  reset(): Promise<void>;
};

/** `path`: from `requireService('moto')`. */
export async function startMoto(path: string): Promise<Moto> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const isRunning = (): boolean =>
    child !== undefined && child.exitCode === null && child.signalCode === null;
  const kill = async (): Promise<void> => {
    if (!child || !isRunning()) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const start = async (): Promise<void> => {
    if (isRunning()) return;
    const words = ['-H', '127.0.0.1', '-p', String(port)];
    child = spawn(path, words, { cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] });
    await untilReady(child, url);
  };
  const reset = async (): Promise<void> => {
    child?.kill('SIGCONT');
    await start();
    const answer = await fetch(`${url}/moto-api/reset`, { method: 'POST' });
    await answer.arrayBuffer();
  };
  await start();
  return { url, kill, start, reset, freeze: () => void child?.kill('SIGSTOP') };
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  let log = '';
  child.stderr?.on('data', (data) => {
    log = `${log}${data}`.slice(-4_000);
  });
  const answers = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`moto ended: ${log}`);
    const answer = await fetch(`${url}/moto-api/`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  };
  await until('moto answers', answers, 60_000);
}
