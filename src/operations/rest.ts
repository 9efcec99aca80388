import type { DeploymentId } from '../domain/ids.ts';
import { WATCH_TOPIC } from '../domain/topics.ts';
import type { DeploymentRow } from '../ports/views.ts';
import { mustExist } from './deployments.ts';
import type { OperationPorts } from './ports.ts';
import type { Watched } from './watch.ts';

const LOOK_MS = 500;

export type Rest = { readonly row: DeploymentRow; readonly rests: boolean };

/** Until it has ended or waits for a decision, at the latest after `waitMs`. Throws `deployment_unknown`. */
export async function untilItRests(
  ports: OperationPorts,
  { input, signal }: Watched<{ readonly deployment: DeploymentId; readonly waitMs: number }>,
): Promise<Rest> {
  const until = ports.clock.now() + input.waitMs;
  while (true) {
    const row = await mustExist(ports.views, input.deployment);
    const rests = row.ended || (row.status === 'paused' && row.counts.active === 0);
    const left = until - ports.clock.now();
    if (rests || left <= 0) return { row, rests };
    await ports.bell.wait(WATCH_TOPIC, Math.min(LOOK_MS, left), signal);
    signal.throwIfAborted();
  }
}
