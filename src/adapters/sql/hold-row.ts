import type { Hold } from '../../domain/capacity.ts';
import type { DeploymentId } from '../../domain/ids.ts';
import { parse } from './json.ts';

export type HoldRow = {
  readonly balancer: string;
  readonly pool: string;
  readonly member: string;
  readonly deployment: DeploymentId;
  readonly target: string;
  readonly phase: Hold['phase'];
  readonly reason: string;
  readonly as_found: string;
};

export const toHold = ({ as_found, ...row }: HoldRow): Hold => ({ ...row, asFound: parse(as_found) });
