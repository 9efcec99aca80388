import type { EdgeClient } from '../api/client.ts';
import type { DeploymentRow } from '../api/contract.ts';
import { asEdgeError } from '../domain/errors.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { Cli } from './context.ts';
import { unexplained } from './start.ts';

const PROGRESS_MS = 1_000;
const WAIT_MS = 20_000;
/** So often in a row a server that does not answer is asked again, with a pause before each. */
const TRIES = 60;
const PAUSE_MS = 2_000;

/** `told` is `null` as long as it is under way. */
type Told<T> = { readonly row: DeploymentRow; readonly told: T };

export type Begun<T> = {
  readonly deployment: DeploymentId;
  readonly total: number;
  /** What Ctrl-C does, as `Ending the commands on the hosts`. */
  readonly ending: string;
  readonly ask: (
    input: { readonly deployment: DeploymentId; readonly waitMs: number },
    signal: AbortSignal,
  ) => Promise<Told<T | null>>;
};

/** What targets have told, once all have. `null`: the person has left. The first Ctrl-C aborts it. */
export async function untilTold<T>(
  cli: Cli,
  client: EdgeClient,
  { deployment, total, ending, ask }: Begun<T>,
): Promise<Told<T> | null> {
  const leaving = new AbortController();
  let pressed = 0;
  const stopListening = cli.interrupts.listen(() => {
    pressed += 1;
    if (pressed > 1) leaving.abort();
    else void abort(cli, client, { deployment, ending });
  });
  const shows = cli.environment.terminal.redraws && !cli.json;
  const { signal } = leaving;
  try {
    for (let failures = 0; ; ) {
      const input = { deployment, waitMs: shows ? PROGRESS_MS : WAIT_MS };
      const answered = await ask(input, signal).catch((thrown: unknown) => {
        if (signal.aborted) return null;
        failures += 1;
        if (asEdgeError(thrown).code !== 'server_unreachable' || failures > TRIES) throw thrown;
        return 'again' as const;
      });
      if (answered === null) return null;
      if (answered === 'again') {
        await cli.environment.sleep(PAUSE_MS, signal);
        continue;
      }
      const { row, told } = answered;
      if (told !== null) return { row, told };
      failures = 0;
      const { succeeded, failed } = row.counts;
      if (shows) cli.environment.stderr.write(`\r${succeeded + failed} of ${total} have answered`);
    }
  } finally {
    if (shows) cli.environment.stderr.write('\r\u001B[K');
    stopListening();
  }
}

async function abort(
  cli: Cli,
  client: EdgeClient,
  { deployment, ending }: { readonly deployment: DeploymentId; readonly ending: string },
): Promise<void> {
  cli.note(`${ending}; press Ctrl-C again to leave at once.`);
  try {
    await client.abort({ deployment, reason: unexplained('aborted') });
  } catch (thrown) {
    cli.note(`Not ended: ${asEdgeError(thrown).message}. Try \`edge abort ${deployment}\`.`);
  }
}
