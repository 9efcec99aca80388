import { setTimeout as wait } from 'node:timers/promises';
import type { DeploymentId } from '../../../src/domain/ids.ts';
import { until } from '../../support/until.ts';
import type { EdgeProcesses } from '../edge-processes.ts';
import type { Needs } from './catalogue.ts';

/** A person who knows that servers die: what was not answered is looked at, and asked again if it has not happened. */

const PLACE = { project: 'crash', environment: 'lab' } as const;
const REASON = { reason: 'crash' } as const;
const AGAIN_MS = 50;
const LOOK_MS = 100;
/** The lease of an owner that went silent, its quarantine, and what is left to do then. */
export const END_LIMIT_MS = 240_000;

type Asked = Pick<EdgeProcesses, 'client' | 'server'>;

export async function deploy({ client }: Asked): Promise<DeploymentId> {
  for (;;) {
    const deployed = await client.deploy({ ...PLACE, ...REASON, version: '1.0.0' }).catch(() => null);
    if (deployed) return deployed.deployment;
    const known = await client.deployments({ ...PLACE, limit: 1 }).catch(() => null);
    if (known?.deployments[0]) return known.deployments[0].id;
    await wait(AGAIN_MS);
  }
}

/** Does what it takes for the processes to come by a point. */
export async function steer(edge: Asked, deployment: DeploymentId, needs: Needs): Promise<void> {
  const { client, server } = edge;
  switch (needs) {
    case 'operator':
      await untilWorked(edge, deployment);
      await insist(edge, deployment, {
        ask: () => client.pause({ deployment, ...REASON }),
        until: ['paused'],
      });
      await insist(edge, deployment, {
        ask: () => client.resume({ deployment, ...REASON }),
        until: ['running'],
      });
      return;
    case 'abort':
      await untilWorked(edge, deployment);
      await insist(edge, deployment, { ask: () => client.abort({ deployment, ...REASON }), until: [] });
      return;
    case 'terminate':
      await untilWorked(edge, deployment);
      server.signal('SIGTERM');
      return;
    case 'nothing':
    case 'artifact':
    case 'tcp':
      return;
    default:
      needs satisfies never;
  }
}

/** Until the deployment has ended. */
export function endOf({ client }: Asked, deployment: DeploymentId): Promise<void> {
  return until(
    'the deployment ends',
    async () => {
      await wait(LOOK_MS);
      const seen = await client.deployment({ deployment }).catch(() => null);
      return seen !== null && seen.deployment.endedAt !== null;
    },
    END_LIMIT_MS,
  );
}

/** Until a command has written something. */
function untilWorked({ client }: Asked, deployment: DeploymentId): Promise<void> {
  const hasOutput = async () => {
    const seen = await client.logs({ deployment, limit: 1 }).catch(() => null);
    return seen !== null && seen.rows.length > 0;
  };
  return until('a command is under way', hasOutput, END_LIMIT_MS);
}

type Insisted = { readonly ask: () => Promise<unknown>; readonly until: readonly string[] };

/** Asks until it shows, or until the deployment has ended. */
async function insist({ client }: Asked, deployment: DeploymentId, insisted: Insisted): Promise<void> {
  const shows = async () => {
    const seen = await client.deployment({ deployment }).catch(() => null);
    if (seen === null) return false;
    return seen.deployment.endedAt !== null || insisted.until.includes(seen.deployment.status);
  };
  await until(
    'what was asked for shows',
    async () => {
      if (await shows()) return true;
      await insisted.ask().catch(() => undefined);
      await wait(LOOK_MS);
      return shows();
    },
    END_LIMIT_MS,
  );
}
